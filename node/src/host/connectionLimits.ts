/**
 * Who gets a connection where there are fewer than are wanted. One address holds so many, before a handshake costs
 * anything; and where all are taken, whoever nobody knows gives way, of the most crowded address first. So neither one
 * machine nor many keep those out that a network cannot do without.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { Connection, MultiaddrConnection } from "@libp2p/interface";

/** What a peer is to this node: a validator with a seat, a registered hotspot, or neither, as far as it knows. */
export type Standing = "seated" | "registered" | "stranger";

/** Homes behind one carrier-grade NAT share an address; a provider's pool of ports serves some 64 of them. */
export const COLOCATED_PEERS = 64;
/** Two for each: the one that a hotspot lost is noticed after its pings, when it has long dialled again. */
export const MAX_CONNECTIONS_PER_ADDRESS = 2 * COLOCATED_PEERS;
/** Handshakes under way: those of four addresses that hold as many as they may, so that one cannot take them all. */
export const MAX_PENDING_CONNECTIONS = 4 * MAX_CONNECTIONS_PER_ADDRESS;

const IPV6_GROUPS = 8;
/** A home or a rented machine has a /64 of IPv6, and may use any address of it. */
const IPV6_NETWORK_GROUPS = 4;

/**
 * What stands for an address where addresses are counted: an IPv4 address itself, the /64 of an IPv6 address; null for
 * loopback, where a whole devnet or a proxy has one address, and for what is no IP address.
 * @param address a multiaddr in words, such as `/ip4/192.0.2.1/tcp/4001`.
 */
export function networkOfAddress(address: string): string | null {
  const [, ip] = /\/ip[46]\/([^/]+)/.exec(address) ?? [];
  return ip === undefined ? null : networkOfIp(ip);
}

/** As `networkOfAddress`. @param ip an IP address as it is written, such as 192.0.2.1 or 2001:db8::9. */
export function networkOfIp(ip: string): string | null {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip) ?? [];
  const address = mapped ?? ip;
  if (isIPv4(address)) return address.startsWith("127.") ? null : address;
  if (!isIPv6(address) || address === "::1") return null;
  const [before, after] = address.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = new Array<string>(IPV6_GROUPS - before!.length - (after?.length ?? 0)).fill("0");
  const groups = after === undefined ? before! : [...before!, ...zeros, ...after];
  return groups
    .slice(0, IPV6_NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** Inbound connections by address, from before their handshake until they are closed. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();
  readonly #max: number;

  constructor(max = MAX_CONNECTIONS_PER_ADDRESS) {
    this.#max = max;
  }

  /** Counts a connection that has come in until it closes; false where its address has enough. */
  admit(connection: Pick<MultiaddrConnection, "remoteAddr" | "addEventListener">): boolean {
    const release = this.take(networkOfAddress(connection.remoteAddr.toString()));
    if (release === null) return false;
    connection.addEventListener("close", release, { once: true });
    return true;
  }

  /**
   * Takes a place of an address's until it is given back, once.
   * @param network as `networkOfAddress` names it; null has as many as it likes.
   * @returns how to give it back; null where the address has enough.
   */
  take(network: string | null): (() => void) | null {
    if (network === null) return () => {};
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#max) return null;
    this.#counts.set(network, count + 1);
    return () => this.#release(network);
  }

  #release(network: string): void {
    const count = this.#counts.get(network)! - 1;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
  }
}

type Held = Pick<Connection, "direction"> & {
  readonly remoteAddr: { readonly toString: () => string };
  readonly timeline: { readonly open: number };
};
const RANKS: Readonly<Record<Standing, number>> = { stranger: 0, registered: 1, seated: 2 };

/**
 * The connection that gives way where there is one too many: a stranger's before a registered hotspot's before a seat's;
 * among equals one of the address that holds most of them, the newest. Only those that came in: whom this node dialled,
 * it wants. Null where none came in.
 */
export function chooseEvicted<T extends Held>(
  connections: readonly T[],
  standingOf: (connection: T) => Standing,
): T | null {
  const inbound = connections.filter(({ direction }) => direction === "inbound");
  const ranked = inbound.map((connection) => ({
    connection,
    rank: RANKS[standingOf(connection)],
    network: networkOfAddress(connection.remoteAddr.toString()),
  }));
  const lowest = Math.min(...ranked.map(({ rank }) => rank));
  const candidates = ranked.filter(({ rank }) => rank === lowest);
  const crowds = Map.groupBy(candidates, ({ network }) => network);
  const [evicted] = candidates.sort(
    (a, b) =>
      crowds.get(b.network)!.length - crowds.get(a.network)!.length ||
      b.connection.timeline.open - a.connection.timeline.open,
  );
  return evicted?.connection ?? null;
}
