/** What calculators read: streams passed in, so that tests need no process, limits on what comes in, and how a command ends at bad input. */
import type { Readable, Writable } from "node:stream";
import { type Command, InvalidArgumentError } from "commander";

export type ToolIo = { readonly stdin: Readable; readonly stdout: Writable; readonly stderr: Writable };

/** Input that a calculator cannot use: becomes the message on stderr and exit status 1. */
export class ToolInputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ToolInputError";
  }
}

/** Runs a command's action; a ToolInputError ends it with its message and status 1, anything else passes on. */
export async function runTool(command: Command, action: () => void | Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ToolInputError)) throw error;
    command.error(`error: ${error.message}`, { exitCode: 1 });
  }
}

/** A parser of a flag's whole number for commander, which names the flag in its message. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/**
 * All of standard input as one JSON value.
 * @throws ToolInputError where it is longer than `maxBytes` or no JSON.
 */
export async function readJson(io: ToolIo, maxBytes: number): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array | string>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new ToolInputError(`the input is longer than ${maxBytes} bytes`);
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return parseJson(text + decoder.decode());
}

/** A JSON value. @throws ToolInputError in words of our own: the engine's message would quote the input. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ToolInputError(text.trim() === "" ? "the input is empty" : "the input is no JSON");
  }
}

/**
 * Lines of a stream in batches as they come, without their ends; a last line needs none.
 * @throws ToolInputError at a line of more than `maxLength` characters, however much of it has come.
 */
export async function* readLines(stream: Readable, maxLength: number): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  let lineNumber = 1;
  const checkLength = (line: string, number: number): void => {
    if (line.length > maxLength)
      throw new ToolInputError(`line ${number}: longer than ${maxLength} characters`);
  };
  for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const [i, line] of lines.entries()) checkLength(line, lineNumber + i);
    lineNumber += lines.length;
    checkLength(rest, lineNumber);
    if (lines.length > 0) yield lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
