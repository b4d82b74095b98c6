/**
 * `hexbeacon trace`: one message's way, from the hotspot that signed it through the validators to verdict and pay, with
 * times. Each of them is asked what it knows; each one's times are by its own clock.
 */
import { Command } from "commander";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { REASONS, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { describeVerdict } from "../../../protocol/src/evidence/reasonWords.ts";
import { isCodedError } from "../host/codedError.ts";
import { fetchJson } from "../host/fetchJson.ts";
import type { Fields } from "../host/jsonFields.ts";
import { parseApiUrl } from "./account/validatorApi.ts";
import { ConfigErrors, exit, type NodeIo, printJson, printLine, runAction, useIo } from "./io.ts";

type TraceFlags = {
  readonly validator?: readonly string[];
  readonly hotspot?: string;
  readonly json?: boolean;
};
/** What one of those who were asked says; null where it knows nothing of the message. */
type Answer = { readonly from: string; readonly message: Fields | null; readonly failure: string | null };
/** Something that happened, by the clock of whoever tells it; `timeMs` is null where no time is known. */
type Happening = { readonly timeMs: number | null; readonly where: string; readonly words: string };

const LIMITS = { timeoutMs: 10_000, maxBytes: 256_000 };
const DEFAULT_VALIDATOR = "http://127.0.0.1:8080";
const EXIT_UNKNOWN = 1;

/** Creates the command; the status is 1 where nobody who answers knows the message. */
export function createTraceCommand(io: NodeIo): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  const command = new Command("trace")
    .description("follow one message from the hotspot to its verdict and pay")
    .argument("<id>", "the message's id, or a report's: 64 hexadecimal digits, perhaps with -INDEX")
    .option(
      "--validator <url>",
      `a validator's API; may be given again (default: ${DEFAULT_VALIDATOR})`,
      collect,
    )
    .option("--hotspot <url>", "the page of the hotspot that sent it, such as http://127.0.0.1:4468")
    .option("--json", "print the answers as one JSON object")
    .action((id: string, flags: TraceFlags) => runAction(io, () => trace(id, flags, io)));
  return useIo(command, io);
}

async function trace(text: string, flags: TraceFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const id = decodeHex(text.replace(/-\d{1,2}$/, ""), 32);
  if (id === null)
    faults.push("the id must be 64 hexadecimal digits, perhaps with a dash and a report's index");
  const read = (url: string): URL | null => {
    const parsed = parseApiUrl(url);
    if (parsed === null) faults.push(`${url} is no address such as ${DEFAULT_VALIDATOR}`);
    return parsed;
  };
  const validators = (flags.validator ?? [DEFAULT_VALIDATOR]).map(read);
  const hotspot = flags.hotspot === undefined ? null : read(flags.hotspot);
  if (faults.length > 0 || id === null) throw new ConfigErrors(faults);
  const name = encodeHex(id);
  const answers = await Promise.all([
    ...(hotspot === null ? [] : [askHotspot(hotspot, name)]),
    ...validators.map((url) => askValidator(url!, name)),
  ]);
  if (flags.json === true) printJson(io, { id: `0x${name}`, answers });
  else print(name, answers, io);
  if (answers.every(({ message }) => message === null)) exit(io, EXIT_UNKNOWN);
}

async function askHotspot(url: URL, name: string): Promise<Answer> {
  const { json, failure } = await fetchOrSay(new URL(`v1/messages?id=${name}`, url));
  return { from: "hotspot", message: objectOf(json?.message), failure };
}

async function askValidator(url: URL, name: string): Promise<Answer> {
  const { json, failure } = await fetchOrSay(new URL(`v1/messages/${name}`, url));
  return { from: url.host, message: json, failure };
}

/** One that does not answer keeps nobody from hearing the others. */
async function fetchOrSay(url: URL): Promise<{ json: Fields | null; failure: string | null }> {
  try {
    const { status, json } = await fetchJson(url, LIMITS);
    const isUnknown = status === 404;
    return {
      json: status === 200 ? objectOf(json) : null,
      failure: status === 200 || isUnknown ? null : `it answers ${status}`,
    };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return { json: null, failure: error.message };
  }
}

function print(name: string, answers: readonly Answer[], io: NodeIo): void {
  printLine(io, `message ${name}`);
  for (const { from, message, failure } of answers)
    if (message === null)
      printLine(io, `  ${from}: ${clean(failure ?? "knows nothing of it, or no longer")}`);
  const happenings = answers.flatMap(({ from, message }) =>
    message === null ? [] : from === "hotspot" ? listSteps(message) : listPassages(from, message),
  );
  const width = Math.max(0, ...happenings.map(({ where }) => where.length));
  for (const { timeMs, where, words } of happenings.sort(
    (a, b) => (a.timeMs ?? Infinity) - (b.timeMs ?? Infinity),
  ))
    printLine(io, `  ${formatTime(timeMs)}  ${where.padEnd(width)}  ${clean(words)}`);
  // Verdicts and pay are what validators agree on: one that has them is enough.
  const judged = answers.find(
    ({ from, message }) => from !== "hotspot" && listOf(message?.reports).length > 0,
  );
  for (const report of listOf(judged?.message?.reports))
    for (const line of describeReport(report)) printLine(io, clean(line));
  const transaction = answers
    .map(({ message }) => objectOf(message?.transaction))
    .find((found) => found !== null);
  if (transaction !== undefined)
    printLine(io, clean(`transaction, ${transaction?.kind}: ${transaction?.reason ?? "accepted"}`));
}

function listSteps(message: Fields): Happening[] {
  return listOf(message.steps).map((step) => ({
    timeMs: Date.parse(`${step.time}`),
    where: "hotspot",
    words: describeStep(step),
  }));
}

function describeStep({ step, validator, round, index, kind, reason }: Fields): string {
  if (step === "spooled") return "signed, and on its disk";
  if (step === "receipted")
    return `receipt of ${validator}, which knew round ${round}: ${reason === null ? "taken" : reason}`;
  if (step === "included") return `hears that it is in round ${round}`;
  return `hears of report ${index} (${kind}): ${reason ?? "accepted"}`;
}

function listPassages(where: string, message: Fields): Happening[] {
  const [intake, batch, round] = [message.intake, message.batch, message.round].map(objectOf);
  const at = (timeMs: unknown, words: string): Happening[] =>
    typeof timeMs === "number" ? [{ timeMs, where, words }] : [];
  const lane = batch === null ? "" : `, in batch ${batch?.seq} of the lane of ${batch?.lane}`;
  return [
    ...at(intake?.receivedMs, `comes by ${intake?.way}`),
    ...at(
      intake?.admittedMs,
      "signatures valid and rules kept: goes to the own lane, or waits for who is nearer",
    ),
    ...at(intake?.certifiedMs, "held by a quorum, in an own batch"),
    ...at(
      round?.timeMs,
      `agreed time of round ${round?.round} of epoch ${round?.epoch}, which has it${lane}`,
    ),
    ...at(round?.decidedMs, `knows round ${round?.round} decided`),
    ...at(round?.executedMs, `has executed and stored round ${round?.round}`),
    ...(message.state === "pending" ? [{ timeMs: null, where, words: "in no executed round yet" }] : []),
  ];
}

function describeReport(report: Fields): string[] {
  const reason: Reason | undefined = REASONS.find((each) => each === report.reason);
  const words = reason === undefined ? "" : `, ${reason}: ${describeVerdict(reason)}`;
  const lines = [`report ${report.id} (${report.kind}) of ${report.hotspot}: ${report.verdict}${words}`];
  const [closed, paid] = [objectOf(report.closed), objectOf(report.paid)];
  if (closed !== null)
    lines.push(
      `  its beacon closed in round ${closed.round} of epoch ${closed.epoch}${closed.beaconReason === null ? "" : `: ${closed.beaconReason}`}`,
    );
  if (typeof report.unitsPpm === "number")
    lines.push(`  it was worth ${report.unitsPpm} parts per million of a unit`);
  if (paid !== null)
    lines.push(
      `  the hotspot was paid ${paid.total} base units for epoch ${paid.epoch}: ${paid.beacons} for beacons, ${paid.witnesses} for what it heard`,
    );
  return lines;
}

/** The time of day; nothing where no date is, whatever number a stranger calls a time. */
function formatTime(timeMs: number | null): string {
  const date = new Date(timeMs ?? Number.NaN);
  return Number.isNaN(date.valueOf()) ? "            " : date.toISOString().slice(11, 23);
}
/** Whoever answers is a stranger: nothing of its text may act on a terminal. */
const clean = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?");
const objectOf = (value: unknown): Fields | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
const listOf = (value: unknown): Fields[] =>
  (Array.isArray(value) ? value : []).map(objectOf).filter((each) => each !== null);
