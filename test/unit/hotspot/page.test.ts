import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import type { Earnings } from "../../../node/src/hotspot/earnings.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import type { PacketRow } from "../../../node/src/hotspot/packetLog.ts";
import { REPORTS_SHOWN, ReportLog, type ReportRow } from "../../../node/src/hotspot/reportLog.ts";
import type { Examination } from "../../../node/src/hotspot/server.ts";
import type { HotspotStatus } from "../../../node/src/hotspot/status.ts";
import { REASONS, UNPAID_REASONS } from "../../../protocol/src/evidence/reasons.ts";
import { describeVerdict } from "../../../protocol/src/evidence/reasonWords.ts";
import { createForwarderStatus } from "./fakeRadio.ts";
import {
  createSampleEarnings,
  createSampleExamination,
  createSampleStatus,
  startSamplePage,
} from "./statusPage.ts";

type Bar = { beacon: number; other: number; refused: number };
type Chart = { bars: Bar[]; most: number; spanMs: number };
/** The page's own script is JavaScript: a browser reads it as it is. */
type View = {
  formatSpan: (ms: number) => string;
  formatBytes: (bytes: number) => string;
  describeSummary: (status: HotspotStatus) => string;
  describeBeacons: (status: HotspotStatus, nowMs: number) => string[];
  reportTone: (report: ReportRow) => string;
  computeChart: (packets: readonly Partial<PacketRow>[], nowMs: number) => Chart;
  describePackets: (packets: readonly Partial<PacketRow>[], chart: Chart) => string;
  formatTokens: (units: string) => string;
  describeEarnings: (earnings: Earnings | null) => { lines: string[]; tone: string; epochs: unknown[] };
  describeExamination: (
    examination: Examination | null,
    nowMs: number,
  ) => { lines: string[]; findings: { text: string; tone: string }[] };
  describeForwarders: (
    radio: Pick<HotspotStatus["radio"], "forwarders">,
    nowMs: number,
  ) => { text: string; tone: string }[];
  describeDuty: (bands: HotspotStatus["dutyCycle"]) => { label: string; used: number }[];
};
const view = (await import(new URL("../../../node/src/hotspot/page/view.js", import.meta.url).href)) as View;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("the log of reports", () => {
  const id = new Uint8Array([1]);
  const question = new Uint8Array([4]);
  const modules = {
    clock: { nowMs: () => 1_000 },
    standing: { isQuestion: (report: Uint8Array) => report === question },
  };

  test("follows a report from a validator's receipt to its verdict", () => {
    const events = createHotspotEmitter();
    const log = new ReportLog(modules);
    log.watch(events);
    events.emit("submitted", { id, kinds: ["beacon", "witness"], reason: null });
    expect(log.rows().map(({ kind, state }) => [kind, state])).toEqual([
      ["witness", "admitted"],
      ["beacon", "admitted"],
    ]);
    events.emit("included", { id, kinds: ["beacon", "witness"], round: 7 });
    events.emit("verdict", { id, index: 1, kind: "witness", reason: "too_close" });
    expect(log.rows()[0]).toEqual({
      id: "01-1",
      kind: "witness",
      time: new Date(1_000).toISOString(),
      state: "judged",
      verdict: "too_close",
      isQuestion: false,
      includedRound: 7,
      words: "Valid but not paid: the two are closer than 300 m.",
    });
    // An envelope from before a restart is known by its verdict only.
    events.emit("verdict", { id: new Uint8Array([2]), index: 0, kind: "reveal", reason: null });
    expect(log.rows()[0]).toMatchObject({ kind: "reveal", verdict: "accepted", words: "Accepted." });
    events.emit("submitted", { id: new Uint8Array([3]), kinds: ["reveal"], reason: "early_reveal" });
    expect(log.rows()[0]).toMatchObject({ state: "refused", verdict: "early_reveal" });
  });

  test("takes a reveal of no beacon for an answer only where the hotspot has asked with it", () => {
    const events = createHotspotEmitter();
    const log = new ReportLog(modules);
    log.watch(events);
    const verdict = { index: 0, kind: "reveal", reason: "unknown_beacon" } as const;
    for (const report of [question, id]) events.emit("verdict", { id: report, ...verdict });
    expect(log.rows().map((row) => [row.isQuestion, view.reportTone(row), row.words])).toEqual([
      // A beacon whose own report came into no round.
      [false, "bad", "Refused: there is no such beacon."],
      [true, "pending", "Answered: the network knows this hotspot, and no such beacon."],
    ]);
  });

  test("keeps the last of them, however many come", () => {
    const events = createHotspotEmitter();
    const log = new ReportLog(modules);
    log.watch(events);
    for (let i = 0; i < 1_000; i++) {
      events.emit("submitted", {
        id: new Uint8Array([i >> 8, i]),
        kinds: ["witness", "reveal"],
        reason: null,
      });
    }
    expect(log.rows()).toHaveLength(REPORTS_SHOWN);
  });

  test("has a sentence of its own for each reason", () => {
    const sentences = new Set(REASONS.map(describeVerdict));
    expect(sentences.size).toBe(REASONS.length);
    for (const sentence of sentences)
      expect(sentence).toMatch(/^(Refused|Valid but not paid): [a-z].*[^.]\.$/);
    for (const reason of UNPAID_REASONS) expect(describeVerdict(reason)).toMatch(/^Valid/);
  });
});

describe("the page's view", () => {
  const nowMs = Date.parse("2026-01-01T12:00:00Z");
  const packet = (ageS: number, more: Partial<PacketRow> = {}): Partial<PacketRow> => ({
    time: new Date(nowMs - ageS * 1_000).toISOString(),
    crc: "ok",
    kind: "other",
    ...more,
  });

  test("says spans and sizes as people do", () => {
    const spans = [-5_000, 0, 119_000, 125_000, 7_100_000, 7_300_000, 200_000_000];
    expect(spans.map(view.formatSpan)).toEqual(["0 s", "0 s", "119 s", "2 min", "118 min", "2 h", "2 days"]);
    expect([0, 5_120, 3_000_000].map(view.formatBytes)).toEqual(["0 bytes", "5.0 KiB", "2.9 MiB"]);
  });

  test("counts packets into bars, each once, the newest last", () => {
    const packets = [
      packet(-2, { kind: "beacon" }),
      packet(1),
      packet(1_800, { crc: "bad" }),
      packet(3_599),
      packet(3_700),
    ];
    const chart = view.computeChart(packets, nowMs);
    expect(chart.bars).toHaveLength(30);
    expect(chart.bars.at(-1)).toEqual({ beacon: 1, other: 1, refused: 0 });
    expect(chart.bars[15]).toEqual({ beacon: 0, other: 0, refused: 1 });
    expect(chart.bars[0]).toEqual({ beacon: 0, other: 1, refused: 0 });
    expect(chart.most).toBe(2);
    expect(view.describePackets(packets, chart)).toBe("In the last 60 min: 1 beacons, 2 others, 1 damaged.");
    expect(view.describePackets([], view.computeChart([], nowMs))).toBe("Nothing has been heard yet.");
  });

  test("begins the chart with the oldest packet where older ones are forgotten", () => {
    const packets = Array.from({ length: 200 }, (_, i) => packet(i));
    const { bars, spanMs } = view.computeChart(packets, nowMs);
    expect(spanMs).toBe(199_000);
    expect(bars.reduce((sum, { other }) => sum + other, 0)).toBe(200);
  });

  test("says of beacons what was, what failed and what comes", () => {
    const status = { ...createSampleStatus(), lastBeaconFailure: "no_forwarder" };
    const lines = view.describeBeacons(
      { ...status, lastBeaconFailureWords: "No forwarder asks." },
      Date.now(),
    );
    expect(lines[0]).toMatch(
      /^Last beacon \d+ s ago: 868.3 MHz, SF10, 13 dBm. Sent, reported and revealed.$/,
    );
    expect(lines[1]).toBe("The last attempt failed. No forwarder asks.");
    expect(lines[2]).toContain("Beacon in round 120");
    expect(view.describeBeacons({ ...status, beacons: [] }, 0)[0]).toBe("No beacon has been sent yet.");
    expect(view.describeSummary({ ...status, cell: null, rounds: null })).toBe(
      "devnet, EU868, no place asserted, 2.15 dBi; no round heard yet",
    );
  });

  test("colours what is accepted, unpaid, refused and open", () => {
    expect(createSampleStatus().reports.map(view.reportTone)).toEqual(["pending", "unpaid", "bad", "good"]);
  });

  test("shows tokens to the last unit, and why nothing is shown where nothing is", () => {
    const units = ["0", "1", "100000000", "123450000", "18446744073709551615"];
    expect(units.map(view.formatTokens)).toEqual([
      ...["0.00", "0.00000001", "1.00", "1.2345", "184467440737.09551615"],
    ]);
    expect(view.describeEarnings(null)).toMatchObject({ tone: "dim", epochs: [] });
    const told = createSampleEarnings();
    expect(view.describeEarnings({ ...told, fault: "no validator answers" }).lines).toEqual([
      "no validator answers.",
    ]);
    const unproven = { ...told, proven: null, words: "Not proven: too bad.", epochs: [] };
    expect(view.describeEarnings(unproven)).toEqual({
      lines: ["Not proven: too bad."],
      tone: "pending",
      epochs: [],
    });
  });

  test("says why pay is withheld, what is held and until when, and what can be done", () => {
    const told = createSampleEarnings();
    const withheld = {
      isSuspended: true,
      penalties: ["constant_window", "snr_grid"],
      isAppealed: false,
      escrow: [{ amount: "1250000000", untilEpoch: 30 }],
    };
    const [epoch] = told.epochs;
    const suspended = { ...epoch!, paid: "0", beaconPaid: "0", witnessPaid: "0", withheld: "1250000000" };
    const paidLater = { ...epoch!, epoch: 31, released: "1250000000" };
    const shown = view.describeEarnings({ ...told, withheld, epochs: [paidLater, suspended] });
    expect(shown.lines.slice(0, 3)).toEqual([
      "Pay is withheld, as this was found: constant_window, snr_grid.",
      "12.50 tokens are held in escrow, and can be released until epoch 30.",
      "Its owner can have that judged anew: hexbeacon account appeal.",
    ]);
    expect(shown.epochs).toEqual([
      { text: expect.stringMatching(/^Epoch 31: .*; 12\.50 released from escrow$/), tone: "" },
      {
        text: expect.stringMatching(/^Epoch 3: 0\.00 tokens, .*; 12\.50 withheld into escrow$/),
        tone: "unpaid",
      },
    ]);
    const appealed = { ...withheld, isAppealed: true };
    expect(view.describeEarnings({ ...told, withheld: appealed }).lines[2]).toContain("has appealed");
    const acquitted = { ...withheld, isSuspended: false };
    expect(view.describeEarnings({ ...told, withheld: acquitted }).lines[0]).toContain("held in escrow");
  });

  test("shows what the doctor has found, the worst first, and says where nothing is known", () => {
    const { lines, findings } = view.describeExamination(createSampleExamination(), Date.now());
    expect(lines).toEqual(["Asked 10 min ago."]);
    expect(findings.map(({ text }) => text.split(":")[0])).toEqual([
      "disk",
      "listen first",
      "clock",
      "device",
    ]);
    expect(findings.map(({ tone }) => tone)).toEqual(["bad", "unpaid", "dim", "good"]);
    expect(findings[3]!.text).toBe("device: None is bound, and none is set.");
    for (const nothing of [null, { time: new Date().toISOString(), findings: null }]) {
      const none = view.describeExamination(nothing, Date.now());
      expect([none.lines.length, none.findings]).toEqual([1, []]);
    }
  });

  test("shows the bands that were used, or all while none was", () => {
    const { dutyCycle } = createSampleStatus();
    const unused = { band: "K", usedMs: 0, limitMs: 3_600, windowMs: 3_600_000 };
    expect(view.describeDuty([unused, ...dutyCycle]).map(({ used }) => used)).toEqual([
      370.7 / 36_000,
      35_000 / 36_000,
    ]);
    expect(view.describeDuty([unused])).toEqual([{ label: "Band K: 0.0 s of 3.6 s this hour", used: 0 }]);
    // Where a dwell limit counts, channels have the budgets.
    const channel = { band: "904.3 MHz", usedMs: 370.7, limitMs: 400, windowMs: 20_000 };
    const labels = view
      .describeDuty([channel, { ...channel, band: "each channel", usedMs: 300 }])
      .map(({ label }) => label);
    expect(labels).toEqual(["904.3 MHz: 0.4 s of 0.4 s in 20 s", "Each channel: 0.3 s of 0.4 s in 20 s"]);
  });

  test("says of each forwarder how it hears, who transmits, and whose clock is wrong", () => {
    const timing = { source: "gps", latencyMs: 12, driftPpm: null, gpsSkewMs: null, restarts: 0 } as const;
    const lastSeenMs = 1_000;
    const one = createForwarderStatus({ lastSeenMs, timing });
    const [alone] = view.describeForwarders({ forwarders: [one] }, 3_000);
    expect(alone).toEqual({ text: "aa555a0000000000: last heard 2 s ago, packets 12 ms old", tone: "good" });
    const off = createForwarderStatus({
      transmits: false,
      lastSeenMs,
      timing: { ...timing, gpsSkewMs: -1_500 },
    });
    const gone = createForwarderStatus({ alive: false, transmits: false, lastSeenMs, takeoversRefused: 3 });
    const texts = view.describeForwarders({ forwarders: [one, off, gone] }, 3_000).map(({ text }) => text);
    expect(texts[0]).toContain(", transmits, packets 12 ms old");
    expect(texts[1]).toContain(", this machine's clock 1.5 s behind its GPS");
    expect(texts[2]).toContain(", 3 datagrams from another address refused");
    const [turns] = view.describeForwarders({ forwarders: [{ ...one, downlinkReturns: 2 }] }, 3_000);
    expect(turns).toMatchObject({ text: expect.stringContaining("two forwarders take turns"), tone: "bad" });
  });
});

describe("the page", () => {
  test("is served whole, with a policy that lets nothing else in", async () => {
    const { address, stop } = await startSamplePage();
    cleanups.push(stop);
    for (const [path, type] of [
      ["/", "text/html; charset=utf-8"],
      ["/page.css", "text/css; charset=utf-8"],
      ["/page.js", "text/javascript; charset=utf-8"],
      ["/view.js", "text/javascript; charset=utf-8"],
    ] as const) {
      const response = await fetch(address + path);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
      const policy = response.headers.get("content-security-policy")!;
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'"]) expect(policy).toContain(rule);
      expect(policy).not.toContain("unsafe");
      expect((await response.text()).length).toBeGreaterThan(500);
    }
  });
});

const chromium = (() => {
  try {
    return execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
})();

describe.skipIf(chromium === null)("the page in Chromium (skipped where it is not installed)", () => {
  test("shows everything, on a phone too, and lets no text become markup", async () => {
    const { address, stop } = await startSamplePage();
    cleanups.push(stop);
    const profile = await mkdtemp(join(tmpdir(), "hexbeacon-chromium-"));
    cleanups.push(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
    const { stdout } = await promisify(execFile)(
      chromium!,
      [...flags, "--window-size=390,844", "--virtual-time-budget=4000", "--dump-dom", address],
      { maxBuffer: 4 * 1_048_576 },
    );
    for (const text of [
      "calm-blue-heron",
      "No validator is in reach.",
      "868.3 MHz, SF10, 13 dBm",
      "Beacon in round 120",
      "Valid but not paid: the two are closer than 300 m.",
      "Band M: 35.0 s of 36.0 s this hour",
      "3 envelopes, 5.0 KiB.",
      "/ip4/127.0.0.1/tcp/4467: connected",
      "/dns4/&lt;img src=x&gt;/tcp/4467: cannot be reached",
      "aa555a0000000000: last heard",
      "earned 385.19640098 tokens by the end of epoch 3.",
      "Proof checked by the validators of epoch 2: signed by 3 of 4.",
      "disk: The home cannot be written to. Do something.",
      "listen first: Somebody &lt;img src=x&gt; must listen. Do something.",
      "Asked 10 min ago.",
      "Epoch 3: 109.40587977 tokens, 40.75471698 for beacons, 68.65116279 for witnessing",
    ]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).not.toContain("<img");
    expect(stdout.match(/<rect /g)!.length).toBeGreaterThan(10);
  });
});
