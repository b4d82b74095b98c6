/**
 * Peers that an operator has shut out, by key, with the reason and until when. The book is a file that is replaced as a
 * whole, so it survives whatever ends the process. A ban takes a peer's connection and its gossip, and nothing else: what
 * others bring of it is judged by the rules that hold for everybody.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import { readFileIfAny, replaceFile } from "../../../node/src/host/durableFile.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";

export type Ban = {
  readonly peer: Uint8Array;
  readonly reason: string;
  readonly sinceMs: number;
  /** Null for ever. */
  readonly untilMs: number | null;
  /** Who set it. */
  readonly operator: Uint8Array;
};

/** More than anybody decides by hand; the whole file is some megabytes then. */
export const MAX_BANS = 10_000;
export const MAX_BAN_REASON_CHARS = 200;

/** One line of the file. */
type BanRecord = {
  readonly peer: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs: number | null;
  readonly operator: string;
};

export class BanBook {
  readonly #path: string;
  readonly #nowMs: () => number;
  #bans: ReadonlyMap<string, Ban>;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(path: string, bans: readonly Ban[], nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
    this.#bans = new Map(bans.map((ban) => [encodeHex(ban.peer), ban]));
  }

  /** Whether a peer's key (32 bytes) is banned now. */
  isBanned(peer: Uint8Array): boolean {
    const ban = this.#bans.get(encodeHex(peer));
    return ban !== undefined && this.#isInForce(ban);
  }

  /** The bans in force, the newest last. */
  list(): Ban[] {
    return [...this.#bans.values()].filter((ban) => this.#isInForce(ban));
  }

  /** Sets a ban, in the place of the peer's former one; it is on the disk, and in force, when this resolves. */
  put(ban: Ban): Promise<void> {
    return this.#change((bans) => {
      bans.delete(encodeHex(ban.peer));
      if (bans.size >= MAX_BANS) throw new CodedError("config_invalid", `there are ${MAX_BANS} bans already`);
      bans.set(encodeHex(ban.peer), ban);
    });
  }

  /** Lifts a ban; does nothing where there is none. */
  remove(peer: Uint8Array): Promise<void> {
    return this.#change((bans) => void bans.delete(encodeHex(peer)));
  }

  /** One change after the other; the old book counts until the new one is on the disk. */
  #change(work: (bans: Map<string, Ban>) => void): Promise<void> {
    const changed = this.#writing.then(async () => {
      const bans = new Map([...this.#bans].filter(([, ban]) => this.#isInForce(ban)));
      work(bans);
      await replaceFile(this.#path, encodeBans([...bans.values()]));
      this.#bans = bans;
    });
    this.#writing = changed.catch(() => undefined);
    return changed;
  }

  #isInForce({ untilMs }: Ban): boolean {
    return untilMs === null || untilMs > this.#nowMs();
  }
}

/** Opens the book of a home. @throws CodedError "file_corrupt": a validator that forgot its bans would say so first. */
export async function openBans(path: string, nowMs: () => number): Promise<BanBook> {
  const bytes = await readFileIfAny(path);
  const bans = bytes === null ? [] : decodeBans(Buffer.from(bytes).toString("utf8"));
  if (bans !== null) return new BanBook(path, bans, nowMs);
  throw new CodedError(
    "file_corrupt",
    `${path} is no list of bans: put it right, or remove it to ban nobody`,
  );
}

function encodeBans(bans: readonly Ban[]): string {
  const records = bans.map(
    ({ peer, operator, ...ban }): BanRecord => ({
      ...ban,
      peer: encodeDidKey(peer),
      operator: encodeDidKey(operator),
    }),
  );
  return `${JSON.stringify({ bans: records }, null, 1)}\n`;
}

function decodeBans(text: string): Ban[] | null {
  try {
    const { bans } = JSON.parse(text) as { bans: readonly BanRecord[] };
    const read = bans.map(({ peer, operator, reason, sinceMs, untilMs }) => {
      const keys = { peer: decodeDidKey(peer), operator: decodeDidKey(operator) };
      const isTimed = untilMs === null || Number.isSafeInteger(untilMs);
      if (keys.peer === null || keys.operator === null || !isTimed || !Number.isSafeInteger(sinceMs))
        return null;
      return { peer: keys.peer, operator: keys.operator, reason: `${reason}`, sinceMs, untilMs };
    });
    return read.every((ban) => ban !== null) ? read : null;
  } catch {
    return null;
  }
}
