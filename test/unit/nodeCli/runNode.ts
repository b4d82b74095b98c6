/** Runs the node's commands in the test's own process, and makes homes with them. */
import { type Readable, Writable } from "node:stream";
import type { Command } from "commander";
import type { NodeIo } from "../../../node/src/cli/io.ts";
import { createNodeCommand } from "../../../node/src/cli/nodeCommand.ts";

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type RunSurroundings = { readonly env?: NodeJS.ProcessEnv; readonly stdin?: Readable };

/** Runs `node ARGS`; the environment is empty. */
export async function run(...args: string[]): Promise<Ran> {
  return await runWith({}, ...args);
}

/** Runs `node ARGS` with an environment and a standard input. */
export async function runWith(surroundings: RunSurroundings, ...args: string[]): Promise<Ran> {
  return await runCommand(createNodeCommand, surroundings, ...args);
}

/** Runs a command that is made for the test's own streams. */
export async function runCommand(
  create: (io: NodeIo) => Command,
  surroundings: RunSurroundings,
  ...args: string[]
): Promise<Ran> {
  const said = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof said) =>
    new Writable({
      write(chunk, _, done) {
        said[name] += String(chunk);
        done();
      },
    });
  const exit = (code: number): never => {
    throw new Exit(code);
  };
  const streams = { stdout: sink("stdout"), stderr: sink("stderr") };
  const command = create({ env: {}, systemConfigFile: "", ...surroundings, ...streams, exit });
  try {
    await command.parseAsync(args, { from: "user" });
    return { code: 0, ...said };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, ...said };
  }
}

/** Makes a home in Bern under EU868 with an antenna of 2.15 dBi. @param more further flags, which win. */
export async function initHome(home: string, owner: string, ...more: string[]): Promise<Ran> {
  const place = ["--location", "46.95,7.45", "--gain", "2.15"];
  return await run("init", "--home", home, "--region", "EU868", "--owner", owner, ...place, ...more);
}
