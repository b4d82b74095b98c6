/**
 * Who did what to this validator: one line of JSON an event, appended and flushed before anything is done or answered.
 * Each line holds the hash of the one before, so a line that was changed or taken out breaks the chain at its place.
 * Lines cut off the end cannot be seen from the file alone: the hash of the newest one also goes to the validator's log.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { CodedError, systemCodeOf } from "../../../node/src/host/codedError.ts";
import { syncFolder } from "../../../node/src/host/durableFile.ts";

/**
 * `opened`: the validator began to listen to operators. `asked`: a request is about to be carried out. `answered`: what
 * came of the one in line `of`. `refused`: a request was not from an operator, or not fresh.
 */
export const AUDIT_EVENTS = ["opened", "asked", "answered", "refused"] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** What an event has to tell; the log adds number, time and chain. */
export type AuditFields = {
  readonly event: AuditEvent;
  /** The operator's did:key; null where none was named. */
  readonly operator: string | null;
  /** Method and path, or what began. */
  readonly request: string;
  readonly body?: unknown;
  /** Of `asked`: the signed time and nonce, by which the request is known should it come again after a restart. */
  readonly signedMs?: number;
  readonly nonce?: string;
  /** Of `answered`: the line that asked, and the status. */
  readonly of?: number;
  readonly status?: number;
  /** Of `refused`: why, and how many more were refused since the line before without one of their own. */
  readonly reason?: string;
  readonly more?: number;
};
export type AuditLine = AuditFields & {
  readonly seq: number;
  readonly time: string;
  /** SHA-256 of the line before without its end, in hexadecimal; zeros in the first. */
  readonly previous: string;
};

/** What a log looks like from its first line to its last. */
export type AuditState = {
  readonly lines: number;
  /** The hash of the newest line. */
  readonly head: string;
  /** The first line that does not follow from the one before, counted from 1; null where all do. */
  readonly brokenAt: number | null;
};

export type AuditLog = {
  /** Writes a line; it is on the disk when this resolves. @returns its number. @throws CodedError "file_unwritable". */
  readonly append: (fields: AuditFields) => Promise<number>;
  readonly state: () => AuditState;
  readonly close: () => Promise<void>;
};

const FIRST_PREVIOUS = "0".repeat(64);
const NEWLINE = 0x0a;
/** A request's body is at most 16 kB, and JSON may write each byte of it as six. */
const MAX_AUDIT_LINE_BYTES = 131_072;

const hashLine = (line: Uint8Array): string => createHash("sha256").update(line).digest("hex");

/**
 * Opens the log, made where there is none. What a crash left of an unfinished line is cut off: nothing was done on it.
 * @param onLine told of each line that is there, in order.
 */
export async function openAuditLog(
  path: string,
  modules: { readonly nowMs: () => number; readonly onLine?: (line: AuditLine) => void },
): Promise<AuditLog> {
  const { state: found, bytes } = await checkAuditLog(path, modules.onLine);
  const handle = await openForAppending(path, bytes);
  return new FileAuditLog(handle, { path, state: found, bytes }, modules.nowMs);
}

async function openForAppending(path: string, bytes: number): Promise<FileHandle> {
  try {
    const handle = await open(path, "a", 0o600);
    await handle.truncate(bytes);
    await syncFolder(dirname(path));
    return handle;
  } catch (cause) {
    throw new CodedError("file_unwritable", `cannot open the audit log ${path}`, cause);
  }
}

class FileAuditLog implements AuditLog {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #nowMs: () => number;
  #state: AuditState;
  /** How long the file is with the lines that count, and whether something of another may lie behind them. */
  #bytes: number;
  #isTorn = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    handle: FileHandle,
    found: { readonly path: string; readonly state: AuditState; readonly bytes: number },
    nowMs: () => number,
  ) {
    this.#handle = handle;
    this.#path = found.path;
    this.#state = found.state;
    this.#bytes = found.bytes;
    this.#nowMs = nowMs;
  }

  state = (): AuditState => this.#state;

  append = (fields: AuditFields): Promise<number> => {
    const written = this.#writing.then(() => this.#write(fields));
    this.#writing = written.catch(() => undefined);
    return written;
  };

  close = async (): Promise<void> => {
    await this.#writing;
    await this.#handle.close();
  };

  async #write(fields: AuditFields): Promise<number> {
    const { lines, head } = this.#state;
    const seq = lines + 1;
    const time = new Date(this.#nowMs()).toISOString();
    const line = Buffer.from(JSON.stringify({ seq, time, ...fields, previous: head }), "utf8");
    try {
      await this.#cutTorn();
      this.#isTorn = true;
      await this.#handle.appendFile(Buffer.concat([line, Buffer.of(NEWLINE)]));
      await this.#handle.datasync();
    } catch (cause) {
      // Where the disk does not even give bytes back, the next line tries again.
      await this.#cutTorn().catch(() => undefined);
      throw new CodedError("file_unwritable", `cannot write the audit log ${this.#path}`, cause);
    }
    this.#isTorn = false;
    this.#bytes += line.length + 1;
    this.#state = { ...this.#state, lines: seq, head: hashLine(line) };
    return seq;
  }

  /** Takes away what a failed write has left: a line behind it would follow from none, and break the chain for ever. */
  async #cutTorn(): Promise<void> {
    if (!this.#isTorn) return;
    await this.#handle.truncate(this.#bytes);
    this.#isTorn = false;
  }
}

/**
 * Reads a log from its first line and follows the chain; the file is not touched, and need not be there.
 * @returns what was found, and how many bytes whole lines take.
 */
export async function checkAuditLog(
  path: string,
  onLine: (line: AuditLine) => void = () => undefined,
): Promise<{ readonly state: AuditState; readonly bytes: number }> {
  let state: AuditState = { lines: 0, head: FIRST_PREVIOUS, brokenAt: null };
  let bytes = 0;
  for await (const raw of readLines(path)) {
    const line = parseLine(raw);
    const follows = line !== null && line.seq === state.lines + 1 && line.previous === state.head;
    const lines = state.lines + 1;
    state = { lines, head: hashLine(raw), brokenAt: state.brokenAt ?? (follows ? null : lines) };
    bytes += raw.length + 1;
    if (line !== null) onLine(line);
  }
  return { state, bytes };
}

function parseLine(raw: Uint8Array): AuditLine | null {
  try {
    const line: unknown = JSON.parse(Buffer.from(raw).toString("utf8"));
    return typeof line === "object" && line !== null ? (line as AuditLine) : null;
  } catch {
    return null;
  }
}

/** Whole lines, without their ends. @throws CodedError "file_corrupt" at one that is longer than any that is written. */
async function* readLines(path: string): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE, from)) {
        yield rest.subarray(from, end);
        from = end + 1;
      }
      rest = rest.subarray(from);
      if (rest.length > MAX_AUDIT_LINE_BYTES)
        throw new CodedError("file_corrupt", `${path} is no audit log: move it away`);
    }
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return;
    if (cause instanceof CodedError) throw cause;
    throw new CodedError("file_unreadable", `cannot read the audit log ${path}`, cause);
  }
}
