/** `validator admin`: what an operator asks of a validator that runs, and orders it to do. */
import { Command } from "commander";
import {
  ConfigErrors,
  exit,
  type NodeIo,
  printJson,
  printLine,
  runAction,
  useIo,
} from "../../../node/src/cli/io.ts";
import { LOG_LEVELS } from "../../../node/src/host/log.ts";
import { checkAuditLog } from "../admin/auditLog.ts";
import { type AdminAnswer, askAdmin } from "../admin/client.ts";
import { type AdminFlags, readAdminAccess } from "./adminAccess.ts";
import { formatAge, printTable } from "./table.ts";

type Method = Parameters<typeof askAdmin>[1];
type Row = Readonly<Record<string, unknown>>;

/** A question is answered at once, but for an audit log of years. */
const TIMEOUT_MS = 30_000;
const REFUSED_STATUS = 1;
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Creates the command with its parts. */
export function createAdminCommand(io: NodeIo): Command {
  const admin = useIo(new Command("admin"), io).description(
    "ask or order a validator that runs, as its operator",
  );
  const parts = [
    part("peers", "who is connected, and what gossip thinks of each").action(
      ask(io, "GET", "peers", printPeers),
    ),
    part("bans", "who is banned").action(ask(io, "GET", "bans", printBans)),
    createBanCommand(io),
    part("unban", "lift a ban")
      .argument("<peer>", "its did:key")
      .action((peer: string, flags: AdminFlags) =>
        runAction(io, () => order(io, flags, "DELETE", `bans/${encodeURIComponent(peer)}`)),
      ),
    part("log-level", "say or change what is logged")
      .argument("[level]", LOG_LEVELS.join(", "))
      .action((level: string | undefined, flags: AdminFlags) =>
        runAction(io, () =>
          level === undefined
            ? order(io, flags, "GET", "log-level")
            : order(io, flags, "PUT", "log-level", { level }),
        ),
      ),
    part("checkpoint", "what somebody who joins pins, and whom to ask").action(
      ask(io, "GET", "checkpoint", printCheckpoint),
    ),
    part("drain", "take nothing more, finish what was acknowledged, and end")
      .option("--within <time>", "give up after so long, such as 90s or 10m")
      .action((flags: AdminFlags & { readonly within?: string }) =>
        runAction(io, () => order(io, flags, "POST", "drain", readSeconds("--within", flags.within))),
      ),
    part("audit", "the newest lines of the audit log, and whether its chain is whole")
      .option("--limit <n>", "so many lines (default: 20)")
      .option("--file <file>", "check a copy of the log instead, without any validator")
      .action((flags: AuditFlags) => runAction(io, () => showAudit(io, flags))),
  ];
  for (const each of parts) admin.addCommand(useIo(each, io));
  return admin;
}

function part(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--home <dir>", "the validator's folder: its socket, and its first operator's key")
    .option("--url <url>", "a validator that listens to its operators on loopback, instead of the socket")
    .option("--operator-key <file>", "another operator's key")
    .option("--validator <did>", "whose it is, where its home is not at hand")
    .option("--genesis <file>", "the network's genesis file (default: the home's)")
    .option("--json", "print the answer as one JSON object");
}

function createBanCommand(io: NodeIo): Command {
  return part("ban", "end a peer's connections, and let it have none")
    .argument("<peer>", "its did:key")
    .option("--reason <words>", "why, for whoever asks later")
    .option("--for <time>", "how long, such as 90s, 10m, 12h or 30d (default: for ever)")
    .option("--force", "ban a validator with a seat too")
    .action((peer: string, flags: AdminFlags & BanFlags) =>
      runAction(io, () => {
        if (flags.reason === undefined) throw new ConfigErrors(["--reason: say why"]);
        return order(io, flags, "PUT", `bans/${encodeURIComponent(peer)}`, {
          reason: flags.reason,
          ...readSeconds("--for", flags.for),
          ...(flags.force === true ? { force: true } : {}),
        });
      }),
    );
}
type BanFlags = { readonly reason?: string; readonly for?: string; readonly force?: boolean };
type AuditFlags = AdminFlags & { readonly limit?: string; readonly file?: string };

/** An order whose answer is printed as it is. */
async function order(
  io: NodeIo,
  flags: AdminFlags,
  method: Method,
  path: string,
  body?: object,
): Promise<void> {
  printJson(io, (await askInWords(io, flags, method, path, body)).json);
}

const ask =
  (io: NodeIo, method: Method, path: string, print: (io: NodeIo, json: AdminAnswer["json"]) => void) =>
  (flags: AdminFlags) =>
    runAction(io, async () => {
      const { json } = await askInWords(io, flags, method, path);
      if (flags.json === true) printJson(io, json);
      else print(io, json);
    });

/** Asks; a refusal is said on standard error, and the command ends with status 1. */
export async function askInWords(
  io: NodeIo,
  flags: AdminFlags,
  method: Method,
  path: string,
  body?: object,
  timeoutMs = TIMEOUT_MS,
): Promise<AdminAnswer> {
  const access = await readAdminAccess(flags);
  const answer = await askAdmin({ ...access, timeoutMs }, method, `/admin/v1/${path}`, body);
  if (answer.status < 400) return answer;
  const {
    detail,
    reason,
    errors = [],
  } = answer.json as {
    readonly detail?: string;
    readonly reason?: string;
    readonly errors?: readonly { readonly field: string; readonly message: string }[];
  };
  io.stderr.write(
    `error: ${detail ?? `status ${answer.status}`}${reason === undefined ? "" : ` (${reason})`}\n`,
  );
  for (const { field, message } of errors) io.stderr.write(`error: ${field} ${message}\n`);
  return exit(io, REFUSED_STATUS);
}

function readSeconds(flag: string, text: string | undefined): { seconds?: number } {
  if (text === undefined) return {};
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (match === null) throw new ConfigErrors([`${flag}: must be a number with s, m, h or d, such as 12h`]);
  return { seconds: Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] };
}

function printPeers(io: NodeIo, { items }: Row): void {
  const rows = (items as Row[]).map((peer) => [
    `${peer.name ?? "-"}`,
    `${peer.peer ?? peer.peerId}`,
    `${peer.address}`,
    `${peer.direction}`,
    formatAge(Number(peer.connectedMs)),
    Number(peer.score).toFixed(1),
    peer.seated === true ? "seated" : "",
  ]);
  printTable(io, ["name", "peer", "address", "direction", "since", "score", ""], rows);
}

function printBans(io: NodeIo, { items }: Row): void {
  const rows = (items as Row[]).map((ban) => [
    `${ban.name}`,
    `${ban.peer}`,
    ban.untilMs === null ? "for ever" : new Date(Number(ban.untilMs)).toISOString(),
    `${ban.reason}`,
  ]);
  printTable(io, ["name", "peer", "until", "reason"], rows);
}

function printCheckpoint(io: NodeIo, json: Row): void {
  const from = (json.from as string[]).map((address) => ` --from ${address}`).join("");
  printLine(io, `hexbeacon validator join --home DIR --genesis FILE --checkpoint ${json.checkpoint}${from}`);
  printLine(
    io,
    `Attested by ${json.signers} of ${json.validators} validators. Whoever joins asks others for it too.`,
  );
}

async function showAudit(io: NodeIo, flags: AuditFlags): Promise<void> {
  const limit = Number(flags.limit ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new ConfigErrors(["--limit: must be a whole number from 1 to 1000"]);
  const items: unknown[] = [];
  const keep = (line: unknown) => {
    items.push(line);
    if (items.length > limit) items.shift();
  };
  const json: Row =
    flags.file === undefined
      ? (await askInWords(io, flags, "GET", `audit?limit=${limit}`)).json
      : { ...(await checkAuditLog(flags.file, keep)).state, items };
  if (flags.json === true) printJson(io, json);
  else {
    for (const line of json.items as unknown[]) printJson(io, line);
    const broken = json.brokenAt === null ? "whole" : `BROKEN at line ${json.brokenAt}`;
    printLine(io, `${json.lines} lines, the chain is ${broken}, head ${json.head}`);
  }
  if (json.brokenAt !== null) exit(io, REFUSED_STATUS);
}
