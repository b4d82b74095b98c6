/**
 * Where a passphrase comes from: a file, the environment or a terminal, in this order. It is never logged, never echoed
 * and never taken from a flag, which every user of the machine could read in the list of processes.
 */
import { open } from "node:fs/promises";
import { Writable } from "node:stream";
import { CodedError } from "../host/codedError.ts";
import { MIN_PASSPHRASE_CHARACTERS } from "../host/sealedText.ts";
import type { NodeIo } from "./io.ts";

export const PASSPHRASE_VARIABLE = "HEXBEACON_PASSPHRASE";
/** The option that every command with a key takes, as commander wants it. */
export const PASSPHRASE_OPTION = [
  "--passphrase-file <file>",
  `a file whose first line is the key's passphrase; else ${PASSPHRASE_VARIABLE}, or a prompt`,
] as const;

export type PassphraseFlags = { readonly passphraseFile?: string | null };

const MAX_PASSPHRASE_BYTES = 1_024;
/** Anybody on the machine could read it. A group may: a service manager hands credentials over with one. */
const WORLD_MASK = 0o007;

/**
 * A passphrase that exists already.
 * @param whose says on a terminal what it opens, where more than one may be asked for.
 * @throws CodedError "passphrase_missing" where there is no source, "key_not_private", "key_foreign_owner",
 *   "file_unreadable".
 */
export async function readPassphrase(flags: PassphraseFlags, io: NodeIo, whose?: string): Promise<string> {
  const question = whose === undefined ? "Passphrase: " : `Passphrase of ${whose}: `;
  return (await readUnattended(flags, io)) ?? (await promptHidden(io, [question]))[0]!;
}

/**
 * A passphrase that is being chosen: long enough, and typed twice where it is typed.
 * @throws CodedError as `readPassphrase`, and "passphrase_unfit".
 */
export async function readNewPassphrase(flags: PassphraseFlags, io: NodeIo): Promise<string> {
  const unattended = await readUnattended(flags, io);
  const typed = unattended === null ? await promptHidden(io, ["New passphrase: ", "Once more: "]) : [];
  const passphrase = unattended ?? typed[0]!;
  if ([...passphrase].length < MIN_PASSPHRASE_CHARACTERS) {
    const least = `at least ${MIN_PASSPHRASE_CHARACTERS} characters`;
    throw new CodedError("passphrase_unfit", `a passphrase needs ${least}`);
  }
  if (typed.some((line) => line !== passphrase)) {
    throw new CodedError("passphrase_unfit", "the two passphrases differ");
  }
  return passphrase;
}

async function readUnattended({ passphraseFile }: PassphraseFlags, io: NodeIo): Promise<string | null> {
  if (passphraseFile !== undefined && passphraseFile !== null) return await readSecretFile(passphraseFile);
  const env = io.env ?? process.env;
  const value = env[PASSPHRASE_VARIABLE];
  return value === undefined || value === "" ? null : value;
}

/**
 * The first line of a file that holds a secret.
 * @throws CodedError "file_unreadable", "key_not_private", "key_foreign_owner", "passphrase_missing" where it is empty.
 */
export async function readSecretFile(path: string): Promise<string> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw new CodedError("file_unreadable", `cannot read ${path}`, cause);
  });
  try {
    const stat = await handle.stat();
    const user = process.getuid?.();
    // The service manager's credentials may belong to root.
    if (user !== undefined && stat.uid !== user && stat.uid !== 0) {
      throw new CodedError("key_foreign_owner", `${path} belongs to another user`);
    }
    if (user !== undefined && (stat.mode & WORLD_MASK) !== 0) {
      throw new CodedError("key_not_private", `others may use ${path}: run chmod 600 on it`);
    }
    const buffer = Buffer.alloc(MAX_PASSPHRASE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, MAX_PASSPHRASE_BYTES, 0);
    const [line] = buffer.subarray(0, bytesRead).toString("utf8").split(/\r?\n/, 1);
    if (line === "") throw new CodedError("passphrase_missing", `the first line of ${path} is empty`);
    return line!;
  } finally {
    await handle.close();
  }
}

/** Asks on the terminal, without showing what is typed. @returns an answer to each question. */
async function promptHidden(io: NodeIo, questions: readonly string[]): Promise<string[]> {
  if (io.stdin?.isTTY !== true) {
    const sources = `give it by --passphrase-file or ${PASSPHRASE_VARIABLE}`;
    throw new CodedError(
      "passphrase_missing",
      `a passphrase is needed, and there is no terminal: ${sources}`,
    );
  }
  // Loaded only for a prompt: a hotspot that nobody sits at runs without it.
  const { createInterface } = await import("node:readline");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  const answers: string[] = [];
  try {
    // Lines that come before their question, as from a paste, wait in the iterator.
    const typed = lines[Symbol.asyncIterator]();
    for (const question of questions) {
      io.stderr.write(question);
      const { done, value } = await typed.next();
      io.stderr.write("\n");
      if (done === true) throw new CodedError("passphrase_missing", "no passphrase was typed");
      answers.push(value);
    }
    return answers;
  } finally {
    lines.close();
  }
}
