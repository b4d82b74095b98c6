/**
 * docs/protocol.md and its parts against the code they describe: fields and types of every container, parameters,
 * limits, plans, lists of rules in their order, and golden values that a committed test really has.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompositeTypeAny, Type } from "@chainsafe/ssz";
import { describe, expect, test, vi } from "vitest";
import { CERTIFICATE_REASONS } from "../../protocol/src/agreement/certificates.ts";
import { EVIDENCE_KINDS, EVIDENCE_REASONS } from "../../protocol/src/agreement/evidence.ts";
import * as fetches from "../../protocol/src/agreement/fetches.ts";
import { computeLeaders } from "../../protocol/src/agreement/leaders.ts";
import * as peerMessages from "../../protocol/src/agreement/peerMessages.ts";
import * as rounds from "../../protocol/src/agreement/rounds.ts";
import * as setAnswers from "../../protocol/src/agreement/setAnswers.ts";
import { VALUE_REASONS } from "../../protocol/src/agreement/valueRules.ts";
import { SIGNED_KINDS } from "../../protocol/src/crypto/domain.ts";
import { SIGNATURE_FORM_REASONS } from "../../protocol/src/crypto/signatureForm.ts";
import { BEACON_RULES } from "../../protocol/src/evidence/beaconRules.ts";
import { WITNESS_RULES } from "../../protocol/src/evidence/witnessRules.ts";
import { OTHERS_PER_REVEAL, WAITING_PER_TAG } from "../../protocol/src/ledger/beaconBook.ts";
import { STATE_CHUNK_BYTES } from "../../protocol/src/ledger/snapshot.ts";
import * as stateManifest from "../../protocol/src/ledger/stateManifest.ts";
import { MAX_LANES, MAX_VALIDATORS } from "../../protocol/src/network/parameters.ts";
import { PRESET_NAMES, PRESETS } from "../../protocol/src/network/presets.ts";
import { computeAirtimeUs } from "../../protocol/src/radio/airtime.ts";
import { FRAME_BYTES, FRAME_REASONS } from "../../protocol/src/radio/frame.ts";
import { REGION_NAMES, REGION_PLANS } from "../../protocol/src/radio/regions.ts";
import { HIP104_LEVELS } from "../../protocol/src/score/density.ts";
import { computeUnits } from "../../protocol/src/score/units.ts";
import * as envelope from "../../protocol/src/wire/envelope.ts";
import * as receipts from "../../protocol/src/wire/receipts.ts";
import * as reports from "../../protocol/src/wire/reports.ts";
import { REPORT_BUCKETS } from "../../protocol/src/wire/topics.ts";
import * as transactions from "../../protocol/src/wire/transactions.ts";
import { ADMISSION_RULES } from "../../validator/src/intake/rules.ts";

type Container = {
  readonly fields: Readonly<Record<string, Type<unknown>>>;
  readonly fixedSize: number | null;
};

/** Every container that the protocol makes, caught at its making: the wire exports functions, not schemas. */
const containers = vi.hoisted(() => ({ named: new Map<string, Container>(), nameless: [] as Container[] }));
vi.mock("@chainsafe/ssz", async (importOriginal) => {
  const ssz = await importOriginal<typeof import("@chainsafe/ssz")>();
  class ContainerType extends ssz.ContainerType<Record<string, CompositeTypeAny>> {
    constructor(fields: Record<string, CompositeTypeAny>, options?: { typeName?: string }) {
      super(fields, options);
      if (options?.typeName === undefined) containers.nameless.push(this);
      else containers.named.set(options.typeName, this);
    }
  }
  return { ...ssz, ContainerType };
});

const ROOT = join(import.meta.dirname, "../..");
/** Every file of the protocol: a container is made when its file is loaded, whoever else imports it. */
const SOURCES = globSync("protocol/src/**/*.ts", { cwd: ROOT });
await Promise.all(SOURCES.map((file) => import(join(ROOT, file))));

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const DOCUMENT = ["docs/protocol.md", ...globSync("docs/protocol/*.md", { cwd: ROOT }).toSorted()]
  .map(read)
  .join("\n");

/** The text under a heading, up to the next heading of any level. */
function sectionOf(heading: string): string {
  const start = DOCUMENT.indexOf(`\n${heading}\n`);
  if (start === -1) throw new Error(`docs/protocol.md has no heading ${heading}`);
  const text = DOCUMENT.slice(start + heading.length + 2);
  const end = text.search(/^#{1,4} /m);
  return end === -1 ? text : text.slice(0, end);
}

/** The cells of every row of the tables in a text, code marks dropped; heads and rules between are left out. */
function rowsOf(text: string): string[][] {
  const lines = text.split("\n");
  return lines
    .filter((line, i) => line.startsWith("| ") && !/^\| -/.test(line) && !/^\| -/.test(lines[i + 1] ?? ""))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.replaceAll("`", "").trim()),
    );
}
/** The first column of the rows under a heading. */
const firstCells = (heading: string): string[] => rowsOf(sectionOf(heading)).map((row) => row[0]!);

const NAMELESS: Readonly<Record<string, string>> = {
  GenesisValidator: "stake",
  GenesisAccount: "balance",
  GenesisHotspot: "region",
  ReceiptItem: "reason",
  MessageStatus: "verdicts",
};

/** A container of the document by its name there. */
function findContainer(name: string): Container | undefined {
  const field = NAMELESS[name];
  return field === undefined
    ? containers.named.get(name)
    : containers.nameless.find(({ fields }) => field in fields);
}

/** A type's name as the document writes it. */
function describeType(type: Type<unknown>): string {
  const { elementType, limit } = type as { elementType?: Type<unknown>; limit?: number };
  const bytes = /^ByteVector\[(\d+)\]$/.exec(type.typeName);
  if (bytes !== null) return `Bytes${bytes[1]}`;
  if (type.typeName === "uintBigint64") return "uint64";
  if (type.typeName === "uint64") return "count";
  if (type.typeName.startsWith("List[")) return `List[${describeType(elementType!)}, ${limit}]`;
  const nameless = Object.keys(NAMELESS).find(
    (name) => findContainer(name) === (type as unknown as Container),
  );
  return nameless ?? type.typeName;
}

describe("the protocol's document", () => {
  const sections = [...DOCUMENT.matchAll(/^#### `(\w+)`, (.*)$/gm)].map((match) => ({
    heading: match[0],
    name: match[1]!,
    size: match[2]!,
  }));

  test("has every container, and none besides", () => {
    const names = [...containers.named.keys(), ...Object.keys(NAMELESS)];
    expect(sections.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(containers.nameless).toHaveLength(Object.keys(NAMELESS).length);
  });

  test.each(sections)("has the fields, types and size of $name", ({ heading, name, size }) => {
    const container = findContainer(name)!;
    const documented = rowsOf(sectionOf(heading)).map((row) => [row[0], row[1]]);
    expect(documented).toEqual(
      Object.entries(container.fields).map(([field, type]) => [field, describeType(type)]),
    );
    expect(size).toBe(container.fixedSize === null ? "variable" : `${container.fixedSize} bytes`);
  });

  test("has every preset's parameters", () => {
    const amounts = ["epochEmission", "maxPayPerUnit", "hotspotBond", "assertFee", "txFee", "validatorStake"];
    const textOf = (preset: (typeof PRESET_NAMES)[number], field: string): string => {
      const value = PRESETS[preset][field as keyof (typeof PRESETS)["test"]];
      if (Array.isArray(value)) return value.join(", ");
      const tokens = amounts.includes(field) ? Number(value) / 1e8 : Number(value);
      return tokens.toLocaleString("en", { maximumFractionDigits: 8 });
    };
    for (const [field, , ...values] of rowsOf(sectionOf("#### `Parameters`, variable"))) {
      expect([field, ...values.slice(0, 3)]).toEqual([
        field,
        ...PRESET_NAMES.map((name) => textOf(name, field!)),
      ]);
    }
  });

  test("has the limits", () => {
    const constants: Record<string, unknown> = {
      ...rounds,
      ...setAnswers,
      ...peerMessages,
      ...fetches,
      ...stateManifest,
      ...envelope,
      ...receipts,
      ...reports,
      ...transactions,
      ...{
        MAX_LANES,
        MAX_VALIDATORS,
        REPORT_BUCKETS,
        FRAME_BYTES,
        WAITING_PER_TAG,
        OTHERS_PER_REVEAL,
        STATE_CHUNK_BYTES,
      },
    };
    const limits = rowsOf(sectionOf("## 1 Conventions")).filter(([name]) => /^[A-Z_]+$/.test(name!));
    expect(limits.length).toBeGreaterThan(15);
    expect(limits.map(([name, value]) => [name, Number(value)])).toEqual(
      limits.map(([name]) => [name, constants[name!]]),
    );
  });

  test("has the domains and the labels of hashes", () => {
    const domains = sectionOf("### 4.1 Domains");
    expect(rowsOf(domains).map(([kind]) => kind)).toEqual([...SIGNED_KINDS]);
    const documented = domains.slice(domains.indexOf("Labels of")).matchAll(/`([a-z-]+)`/g);
    const sources = SOURCES.map(read).join("\n");
    const used = new Set([...sources.matchAll(/hashLabelled\("([a-z-]+)"/g)].map((match) => match[1]!));
    expect([...documented].map((match) => match[1]!).toSorted()).toEqual([...used].toSorted());
  });
});

describe("the protocol's document lists", () => {
  test.each<[string, readonly string[]]>([
    ["### 4.2 The verification rule", SIGNATURE_FORM_REASONS],
    ["## 7 Admission", ADMISSION_RULES.map(({ reason }) => reason)],
    ["### 10.3 Rules for a beacon report", BEACON_RULES.map(({ reason }) => reason)],
    ["### 10.6 Rules for a witness report", WITNESS_RULES.map(({ reason }) => reason)],
  ])("the rules under %s in their order", (heading, reasons) => {
    expect(firstCells(heading)).toEqual([...reasons]);
  });

  test("the kinds of evidence by their numbers, and what refuses a piece in its order", () => {
    const section = sectionOf("#### Kinds of evidence");
    expect(rowsOf(section).map(([number, kind]) => [Number(number), kind])).toEqual([
      ...EVIDENCE_KINDS.entries(),
    ]);
    const refused = [...section.slice(section.indexOf("A piece is refused")).matchAll(/`([a-z_]+)`/g)];
    const named = refused.map((match) => match[1] as (typeof EVIDENCE_REASONS)[number]);
    expect(named.filter((name) => EVIDENCE_REASONS.includes(name))).toEqual([...EVIDENCE_REASONS]);
  });

  test("the kinds of messages between validators by their numbers", () => {
    const numbers = firstCells("### 20.1 The peers stream").map(Number);
    expect(numbers).toEqual(peerMessages.PEER_MESSAGE_TYPES.map((_, i) => i + 1));
  });

  test("orders of leaders", () => {
    const rows = rowsOf(sectionOf("#### Orders"));
    expect(rows.length).toBeGreaterThan(2);
    const computed = rows.map(([seed, round, validators]) =>
      computeLeaders(new Uint8Array(32).fill(Number(`0x${seed}`)), Number(round), Number(validators)),
    );
    expect(rows.map((row) => row[3])).toEqual(computed.map((order) => order.join(", ")));
  });

  test("the rules of values and certificates in their order", () => {
    expect(firstCells("#### Valid values")).toEqual([...VALUE_REASONS]);
    const namesIn = (text: string) => [...text.matchAll(/`([a-z_]+)`/g)].map((match) => match[1]!);
    const certificates = namesIn(sectionOf("### 12.3 Certificates"));
    expect(certificates.filter((name) => name.includes("_"))).toEqual([...CERTIFICATE_REASONS]);
    const frames = namesIn(sectionOf("### 9.3 The beacon on the air"));
    expect(frames).toEqual([...FRAME_REASONS]);
  });

  const list = (values: readonly (number | string)[]): string => values.join(", ");
  const orDash = (value: number | null): string => (value === null ? "-" : String(value));

  test("the region plans and their bands", () => {
    const plans = REGION_NAMES.map((name) => REGION_PLANS[name]);
    const [rows, bands] = [9, 6].map((columns) =>
      rowsOf(sectionOf("### 9.1 Region plans")).filter((row) => row.length === columns),
    );
    expect(rows).toEqual(
      plans.map((plan) => [
        plan.name,
        String(plan.id),
        list(plan.beaconFreqsHz.map((hz) => hz / 1e6)),
        String(plan.bwHz / 1e3),
        String(plan.maxEirpCentiDbm / 100),
        String(plan.maxGainCentiDbi / 100),
        list(plan.dataRates),
        orDash(plan.dwellMs),
        orDash(plan.dwellWindowMs === null ? null : plan.dwellWindowMs / 1e3),
      ]),
    );
    expect(bands).toEqual(
      plans.flatMap((plan) =>
        plan.dutyBands.map((band) => [
          plan.name,
          band.name,
          String(band.fromHz / 1e6),
          String(band.toHz / 1e6),
          band.dutyPpm.toLocaleString("en"),
          String(band.maxEirpCentiDbm / 100),
        ]),
      ),
    );
  });

  test("where a transmitter must listen first", () => {
    expect(rowsOf(sectionOf("### 9.1 Region plans")).filter((row) => row.length === 4)).toEqual(
      REGION_NAMES.flatMap((name) =>
        REGION_PLANS[name].listenBeforeTalk.map(({ country, listenUs, thresholdCentiDbm }) => [
          ...[name, country, String(listenUs / 1e3), String(thresholdCentiDbm / 100)],
        ]),
      ),
    );
  });

  test("a beacon's time on air", () => {
    const times = [7, 8, 9, 10, 11, 12].map((spreadingFactor) =>
      computeAirtimeUs({ spreadingFactor, bandwidthHz: 125_000, payloadBytes: FRAME_BYTES }),
    );
    expect(rowsOf(sectionOf("### 9.2 Time on air"))).toEqual([
      ["µs", ...times.map((us) => us.toLocaleString("en"))],
    ]);
  });

  test("units and density", () => {
    const rows = rowsOf(sectionOf("### 15.3 Score, version 1"));
    const numbers = rows.map((row) => row.map((cell) => Number(cell.replaceAll(",", ""))));
    expect(numbers.filter((row) => row.length === 3)).toEqual(
      Array.from({ length: PRESETS.mainnet.witnessCap + 1 }, (_, witnesses) => {
        const { perWitnessPpm, beaconerPpm } = computeUnits(witnesses);
        return [witnesses, perWitnessPpm, beaconerPpm];
      }),
    );
    expect(numbers.filter((row) => row.length === 4)).toEqual(
      HIP104_LEVELS.map(({ resolution, occupiedFull, target, max }) => [
        resolution,
        occupiedFull,
        target,
        max,
      ]),
    );
  });

  test("golden values that the named tests hold", () => {
    const missing = rowsOf(sectionOf("## 18 Golden values")).flatMap(([, value, file]) => {
      const files = file!.split(", ");
      const absent = files.filter((name) => !existsSync(join(ROOT, name)));
      const isHex = /^[0-9a-f]{20,}$/.test(value!);
      const isHeld = !isHex || files.some((name) => read(name).includes(value!));
      return isHeld ? absent : [...absent, `${value} is not in ${file}`];
    });
    expect(missing).toEqual([]);
  });
});
