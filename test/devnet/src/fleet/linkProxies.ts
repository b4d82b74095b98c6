/**
 * The cables between validators: each one is reached through a proxy on loopback, which knows by the socket which process
 * has dialled, so that the link of any two of them can be cut and healed while the rest goes on.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

export type LinkProxies = {
  /** From now on nothing passes between these two, either way; what stands breaks. */
  readonly cut: (a: number, b: number) => void;
  readonly healAll: () => void;
  readonly close: () => Promise<void>;
};

export type ProxiedValidator = {
  /** Where the others look for it, and where it listens. */
  readonly proxyPort: number;
  readonly port: number;
  /** Its process now. */
  readonly pid: () => number;
};

/** Opens a proxy for each validator. Who is no validator is let through to all. */
export async function openLinkProxies(validators: readonly ProxiedValidator[]): Promise<LinkProxies> {
  const cuts = new Set<string>();
  const standing = new Map<Socket, string>();
  const linkOf = (a: number, b: number): string => [a, b].sort((left, right) => left - right).join();
  const serve = (to: number, inner: Socket): void => {
    // Dialled and gone again before it could be looked at: whoever it was wants nothing any more.
    if (inner.remotePort === undefined) return void inner.destroy();
    const from = validators.findIndex(({ pid }) => ownsPort(pid(), inner.remotePort!));
    const link = linkOf(from, to);
    if (cuts.has(link)) return void inner.destroy();
    const outer = connect(validators[to]!.port, "127.0.0.1");
    standing.set(inner, link);
    const end = (): void => {
      standing.delete(inner);
      inner.destroy();
      outer.destroy();
    };
    for (const socket of [inner, outer]) {
      socket.setNoDelay(true);
      socket.on("error", end).on("close", end);
    }
    inner.pipe(outer).pipe(inner);
  };
  const servers = await Promise.all(
    validators.map(({ proxyPort }, to) => listen(proxyPort, (socket) => serve(to, socket))),
  );
  return {
    cut: (a, b) => {
      cuts.add(linkOf(a, b));
      for (const [socket, link] of standing) if (link === linkOf(a, b)) socket.destroy();
    },
    healAll: () => cuts.clear(),
    close: async () => {
      for (const socket of standing.keys()) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

function listen(port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onSocket);
    server.once("error", reject).listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** Whether a process has a TCP socket with this local port, by /proc. */
function ownsPort(pid: number, port: number): boolean {
  const inodes = new Set<string>();
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(wanted) === true) inodes.add(`socket:[${fields[9]}]`);
  }
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((name) => isAnyOf(inodes, `${folder}/${name}`));
  } catch {
    // The process has ended.
    return false;
  }
}

function isAnyOf(inodes: ReadonlySet<string>, link: string): boolean {
  try {
    return inodes.has(readlinkSync(link));
  } catch {
    // Closed while we looked.
    return false;
  }
}
