/** What the node's commands read and write, and how they end; passed in, so that tests need no process. */
import type { Readable, Writable } from "node:stream";
import { type Command, CommanderError } from "commander";
import { isCodedError } from "../host/codedError.ts";

export type NodeIo = {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Where a passphrase is typed, if it is a terminal; absent where nobody can be asked. */
  readonly stdin?: Readable & { readonly isTTY?: boolean };
  /** Environment variables; the process's by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** The machine's configuration file, for tests; the package's by default. */
  readonly systemConfigFile?: string;
  /** Ends the process; `process.exit` by default. */
  readonly exit?: (code: number) => never;
};

/** Faults of flags or configuration, each in words; they are shown all at once, and the status is 2. */
export class ConfigErrors extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigErrors";
    this.faults = faults;
  }
}

/** Ends with a status. */
export function exit(io: NodeIo, code: number): never {
  return (io.exit ?? process.exit)(code);
}

/** Prints one line. */
export function printLine(io: NodeIo, line: string): void {
  io.stdout.write(`${line}\n`);
}

/** Prints one JSON value on a line of its own. */
export function printJson(io: NodeIo, value: unknown): void {
  printLine(io, JSON.stringify(value));
}

/** Runs a command's action: faults of configuration and failures at the rim become words and an exit status. */
export async function runAction(io: NodeIo, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof ConfigErrors) {
      for (const fault of error.faults) io.stderr.write(`error: ${fault}\n`);
      exit(io, 2);
    }
    if (!isCodedError(error)) throw error;
    io.stderr.write(`error: ${error.message}\n`);
    exit(io, error.exitCode);
  }
}

/** Makes a command say its own usage errors on the given streams, with status 2 as for all configuration. */
export function useIo(command: Command, io: NodeIo): Command {
  return command
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride((error) => {
      if (!(error instanceof CommanderError)) throw error;
      exit(io, error.exitCode === 0 ? 0 : 2);
    });
}
