/** What `npm start` shows: a picture that redraws itself in a terminal, plain lines where the output is none. */
import type { SeveralStatus } from "./several.ts";
import { formatTokens } from "./tokens.ts";

/** One closed epoch, as the API gives it; amounts are base units. */
export type EpochLine = {
  readonly epoch: number;
  readonly beacons: number;
  readonly witnessesAccepted: number;
  readonly witnessesRefused: Readonly<Record<string, number>>;
  readonly emitted: bigint;
  readonly paid: bigint;
  readonly carried: bigint;
  readonly rewardRoot: string;
};

/** All that is shown at one moment. */
export type DevnetStatus = {
  readonly network: string;
  readonly apiUrl: string;
  readonly uptimeMs: number;
  readonly round: number;
  readonly epoch: number;
  readonly roundInEpoch: number;
  readonly roundsPerEpoch: number;
  readonly validatorUp: boolean;
  /** Where there are several validators. */
  readonly several: SeveralStatus | null;
  readonly hotspotsUp: number;
  readonly hotspots: number;
  readonly beaconsSent: number;
  /** Verdicts that hotspots have heard of since the start, ahead of the closed epochs; "accepted" is one of the keys. */
  readonly witnessesJudged: Readonly<Record<string, number>>;
  /** Of closed epochs, as the ones that follow. */
  readonly beaconsClosed: number;
  readonly witnessesAccepted: number;
  readonly witnessesRefused: Readonly<Record<string, number>>;
  readonly paid: bigint;
  readonly epochs: readonly EpochLine[];
  readonly events: readonly string[];
};

/** Where the view writes, and whether it can redraw. */
export type Screen = {
  readonly isTerminal: boolean;
  readonly columns: () => number;
  readonly write: (text: string) => void;
};

export type View = {
  /** Shows the state: redraws a terminal; elsewhere prints what is new since the last time. */
  readonly update: (status: DevnetStatus) => void;
  /** Something that happened, in one line. */
  readonly event: (line: string) => void;
  /** Leaves the terminal as it was found. */
  readonly close: () => void;
};

const EPOCHS_SHOWN = 6;
const REASONS_SHOWN = 6;
const BAR_CELLS = 30;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** Home, and clear what is below: without clearing first, nothing flickers. */
const HOME = "\x1b[H";
const CLEAR_BELOW = "\x1b[J";
const CLEAR_SCREEN = "\x1b[2J";
const CLEAR_LINE_END = "\x1b[K";

export function createView(screen: Screen): View {
  return screen.isTerminal ? createLiveView(screen) : createPlainView(screen);
}

function createLiveView(screen: Screen): View {
  let drawn = false;
  return {
    update: (status) => {
      if (!drawn) screen.write(HIDE_CURSOR + CLEAR_SCREEN);
      drawn = true;
      const width = Math.max(40, screen.columns());
      const lines = renderStatus(status).map((line) => line.slice(0, width) + CLEAR_LINE_END);
      screen.write(`${HOME}${lines.join("\n")}\n${CLEAR_BELOW}`);
    },
    // Events reach the picture with the next update, as part of the status.
    event: () => {},
    close: () => {
      if (drawn) screen.write(SHOW_CURSOR);
    },
  };
}

function createPlainView(screen: Screen): View {
  let lastEpochShown = -1;
  let lastRoundShown = -1;
  return {
    update: (status) => {
      for (const line of status.epochs) {
        if (line.epoch <= lastEpochShown) continue;
        lastEpochShown = line.epoch;
        screen.write(`${renderEpochSentence(line)}\n`);
      }
      // A line every third of an epoch says that the network lives without drowning what matters.
      const step = Math.max(1, Math.floor(status.roundsPerEpoch / 3));
      if (status.round < lastRoundShown + step) return;
      lastRoundShown = status.round;
      const { accepted, refused } = splitJudged(status.witnessesJudged);
      const { several } = status;
      const agreement =
        several === null
          ? ""
          : `; validators ${describeEach(several).join(", ")}; ${describeAgreement(several)}`;
      screen.write(
        `round ${status.round} (epoch ${status.epoch}, ${status.roundInEpoch + 1}/${status.roundsPerEpoch}): ` +
          `${status.beaconsSent} beacons sent, ${accepted} witness reports accepted, ${sum(refused)} not, ` +
          `${formatTokens(status.paid)} tokens paid${agreement}\n`,
      );
    },
    event: (line) => screen.write(`${line}\n`),
    close: () => {},
  };
}

/** The picture, line by line, without any control characters. */
export function renderStatus(status: DevnetStatus): string[] {
  const filled = Math.round(((status.roundInEpoch + 1) / status.roundsPerEpoch) * BAR_CELLS);
  const bar = "#".repeat(Math.min(BAR_CELLS, filled)).padEnd(BAR_CELLS, ".");
  const minutes = Math.floor(status.uptimeMs / 60_000);
  const seconds = Math.floor(status.uptimeMs / 1_000) % 60;
  const { accepted, refused } = splitJudged(status.witnessesJudged);
  return [
    `Hexbeacon devnet  ${status.network}   up ${minutes}:${String(seconds).padStart(2, "0")}   Ctrl-C stops everything`,
    "",
    `  explorer     ${status.apiUrl}/   (HTTP API: ${status.apiUrl}/docs)`,
    ...renderValidators(status),
    `  hotspots     ${status.hotspotsUp} of ${status.hotspots} running`,
    `  round        ${status.round}`,
    `  epoch        ${status.epoch}  [${bar}] ${status.roundInEpoch + 1}/${status.roundsPerEpoch} rounds`,
    "",
    `  beacons      ${status.beaconsSent} sent since the start; ${status.beaconsClosed} in closed epochs`,
    `  witnesses    ${accepted} accepted, ${sum(refused)} not; in closed epochs ${status.witnessesAccepted} and ${sum(status.witnessesRefused)}`,
    `  not for      ${renderReasons(refused)}`,
    `  paid         ${formatTokens(status.paid)} tokens`,
    "",
    ...renderEpochTable(status.epochs.slice(-EPOCHS_SHOWN)),
    "",
    ...status.events.map((event) => `  ${event}`),
  ];
}

/** One validator in a line; several with how far each has executed, who leads, and how often one was passed over. */
function renderValidators({ several, validatorUp }: DevnetStatus): string[] {
  if (several === null) return [`  validator    ${validatorUp ? "running" : "DOWN"}`];
  return [
    `  validators   ${describeEach(several).join(", ")}`,
    `  agreement    ${describeAgreement(several)}`,
  ];
}

/** Each validator by its number: up, down, or how far behind the one that has executed most. */
function describeEach({ validators }: SeveralStatus): string[] {
  const newest = Math.max(...validators.map((each) => each?.round ?? -1));
  return validators.map((line, index) => {
    if (line === null) return `${index} DOWN`;
    const behind = newest - (line.round ?? -1);
    return behind > 1 ? `${index} ${behind} rounds behind` : `${index} up`;
  });
}

function describeAgreement({ leader, viewChanges }: SeveralStatus): string {
  const led = leader === null ? "" : `last round led by validator ${leader}, `;
  return `${led}${viewChanges} view changes`;
}

/** Closed epochs as a table; amounts in tokens. */
export function renderEpochTable(epochs: readonly EpochLine[]): string[] {
  const head = ["epoch", "beacons", "accepted", "refused", "emitted", "paid", "carried", "reward root"];
  const rows = epochs.map((line) => [
    String(line.epoch),
    String(line.beacons),
    String(line.witnessesAccepted),
    String(sum(line.witnessesRefused)),
    formatTokens(line.emitted),
    formatTokens(line.paid),
    formatTokens(line.carried),
    `${line.rewardRoot.slice(0, 18)}...`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const align = (row: readonly string[]) =>
    `  ${row.map((text, column) => text.padStart(widths[column]!)).join("  ")}`;
  return [align(head), ...rows.map(align)];
}

function renderEpochSentence(line: EpochLine): string {
  return (
    `epoch ${line.epoch} closed: ${line.beacons} beacons, ${line.witnessesAccepted} witness reports accepted, ` +
    `${sum(line.witnessesRefused)} refused (${renderReasons(line.witnessesRefused)}), ` +
    `${formatTokens(line.paid)} tokens paid, ${formatTokens(line.carried)} carried, root ${line.rewardRoot.slice(0, 18)}...`
  );
}

/** Apart: what was accepted, and the rest by reason. */
function splitJudged(judged: Readonly<Record<string, number>>): {
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
} {
  const { accepted = 0, ...refused } = judged;
  return { accepted, refused };
}

function renderReasons(refused: Readonly<Record<string, number>>): string {
  const entries = Object.entries(refused).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  if (entries.length === 0) return "nothing";
  const shown = entries.slice(0, REASONS_SHOWN).map(([reason, count]) => `${reason} ${count}`);
  return shown.join(", ") + (entries.length > REASONS_SHOWN ? ", ..." : "");
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
