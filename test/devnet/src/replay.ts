/** Replay of a devnet's home by the operator's own command, whose answer must say what it has replayed. */
import { runHexbeacon } from "./processes.ts";

export type CommandAnswer = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Replays what a home has, whose validator is stopped. @param lastEpoch as `readReplay` takes it. */
export async function replayHome(home: string, lastEpoch: number): Promise<readonly number[]> {
  return readReplay(await runHexbeacon(["validator", "replay", "--home", home, "--all"]), lastEpoch);
}

/**
 * The epochs whose replay differs from what the home has stored.
 * @param lastEpoch an epoch that the home has closed: the replay must have come to it. -1 for none.
 * @throws Error where the command says nothing of what it replayed, as where it ended with a failure, or ended early.
 */
export function readReplay({ code, stdout, stderr }: CommandAnswer, lastEpoch: number): readonly number[] {
  const ended = `replay ended with ${code}: ${stderr.trim()}`;
  if ((code !== 0 && code !== 1) || stdout === "") throw new Error(ended);
  const { equal, differing, epochs } = JSON.parse(stdout) as {
    readonly equal: boolean;
    readonly differing: readonly number[];
    readonly epochs: readonly { readonly epoch: number }[];
  };
  const reached = epochs.at(-1)?.epoch ?? -1;
  if (reached < lastEpoch)
    throw new Error(`replay came to epoch ${reached}, and epoch ${lastEpoch} is closed`);
  if (equal !== (differing.length === 0) || equal !== (code === 0)) throw new Error(`${ended} ${stdout}`);
  return differing;
}
