/** What every store asks of a round before it writes it, so that no history can be mixed with another. */
import { CodedError } from "../../../node/src/host/codedError.ts";
import { computeValueDigest } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { CommitOutcome, RoundCommit, RoundRow } from "./store.ts";

/** A caller whose digests and spans disagree would make rounds that nobody can replay: a bug. */
export function checkCommit(commit: RoundCommit): void {
  const spanned = commit.batchSpans.reduce((sum, span) => sum + span.lastSeq - span.firstSeq + 1, 0);
  if (spanned !== commit.batchDigests.length)
    throw new Error("a commit's batch digests and spans differ in number");
}

/** Throws `store_conflict` unless value and state are those that were committed. */
export function checkSameRound(there: RoundRow, commit: RoundCommit): CommitOutcome {
  const same =
    equalBytes(there.valueDigest, computeValueDigest(commit.value)) &&
    equalBytes(there.stateDigest, commit.result.stateDigest);
  if (!same) throw new CodedError("store_conflict", `round ${there.round} is committed with other content`);
  return "already_committed";
}

/** Throws `store_gap` where the round is not the one after the newest. */
export function checkNextRound(latest: RoundRow | null, commit: RoundCommit): void {
  const next = latest === null ? 0 : latest.round + 1;
  const { round } = commit.result;
  if (round !== next)
    throw new CodedError("store_gap", `round ${round} was offered where ${next} is the next`);
}
