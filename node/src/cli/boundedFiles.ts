/** Files that somebody else made: read no further than they may be long, and never believed to be what they should be. */
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import {
  type Checkpoint,
  decodeCheckpoint,
  MAX_CHECKPOINT_CHARS,
} from "../../../protocol/src/agreement/rewardEvidence.ts";
import type { Checked } from "./config.ts";

/** A checkpoint's file; null where none is named. @param name of the setting or flag, for what is wrong with it. */
export async function readCheckpoint(path: string | null, name: string): Promise<Checked<Checkpoint | null>> {
  if (path === null) return { ok: true, value: null };
  const text = await readBounded(path, name, MAX_CHECKPOINT_CHARS);
  if (!text.ok) return text;
  const decoded = decodeCheckpoint(parseJson(text.value));
  return decoded.ok ? decoded : { ok: false, faults: [`${name}: ${path}: ${decoded.detail}`] };
}

/** A file's text, or standard input's where the path is `-` and `stdin` is given, unless it is longer than it may be. */
export async function readBounded(
  path: string | undefined,
  flag: string,
  maxChars: number,
  stdin?: Readable,
): Promise<Checked<string>> {
  const fault = (words: string): Checked<string> => ({ ok: false, faults: [words] });
  if (path === undefined) return fault(`${flag} must name a file`);
  try {
    const stream = path === "-" && stdin !== undefined ? stdin : (await open(path)).createReadStream();
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > maxChars) return fault(`${flag}: ${path} is longer than ${maxChars} characters`);
    }
    return { ok: true, value: text + decoder.decode() };
  } catch (error) {
    return fault(`${flag}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? "unreadable"})`);
  }
}

/** What a text says as JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
