/** The snapshot's part on trust and escrow: history, generations, findings, appeals, seeds, and what is withheld. */
import { PENALTY_REASONS } from "../trust/finding.ts";
import type { NamedFinding } from "../trust/findingTable.ts";
import { LINK_ROW_BYTES } from "../trust/linkColumns.ts";
import { LinkHistory } from "../trust/linkHistory.ts";
import { RECEIVER_ROW_BYTES, ReceiverHistory } from "../trust/receiverHistory.ts";
import { TrustHistory } from "../trust/trustHistory.ts";
import type { ByteReader } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";
import type { Ledger } from "./state.ts";
import { TrustBook, type TrustGeneration } from "./trustBook.ts";

export function writeTrust(out: ByteWriter, { trust, escrow, registry, nextEpoch }: Ledger): void {
  const { history } = trust;
  writeRows(out, history.links.encode(nextEpoch), LINK_ROW_BYTES);
  writeRows(out, history.receivers.encode(nextEpoch), RECEIVER_ROW_BYTES);
  out.list(trust.generations, (generation) => writeGeneration(out, generation));
  out.list(trust.findings, ([hotspot, findings]) => {
    out.int32(hotspot);
    out.list(findings, (finding) => writeFinding(out, finding));
  });
  out.list(
    [...trust.appealed].sort((a, b) => a - b),
    (hotspot) => out.int32(hotspot),
  );
  out.list(
    [...trust.barredUntil].sort(([a], [b]) => a - b),
    ([hotspot, until]) => {
      out.int32(hotspot);
      out.int64(until);
    },
  );
  out.list(trust.seeds, (hotspot) => out.int32(hotspot));
  out.list(registry.list, ({ index }) => {
    out.int32(trust.heard.get(index));
    out.int32(trust.heardBy.get(index));
    out.int32(trust.corroboration.newestOwner.get(index));
    out.int32(trust.corroboration.newestEpoch.get(index));
    out.int32(trust.corroboration.otherEpoch.get(index));
  });
  out.list(escrow.entries, (entry) => {
    out.int32(entry.hotspot);
    out.int32(entry.owner);
    out.int64(entry.untilEpoch);
    out.amount(entry.beacons);
    out.amount(entry.witnesses);
  });
}

/** Reads into a ledger whose round, accounts and hotspots have been read. */
export function readTrust(input: ByteReader, ledger: Ledger): void {
  const { parameters, registry, accounts, nextEpoch } = ledger;
  const { trustWindowEpochs: windowEpochs } = parameters;
  const count = registry.list.length;
  const within = (index: number, limit: number): number => {
    if (index >= limit) throw new RangeError("trust of what the snapshot does not hold");
    return index;
  };
  const linkBytes = readRows(input, LINK_ROW_BYTES);
  const links = LinkHistory.decode(linkBytes, windowEpochs, nextEpoch, count);
  const receiverBytes = readRows(input, RECEIVER_ROW_BYTES);
  const receivers = ReceiverHistory.decode(receiverBytes, windowEpochs, nextEpoch, count);
  if (links === null || receivers === null) throw new RangeError("a history that no execution makes");
  const trust = new TrustBook(parameters, new TrustHistory(windowEpochs, links, receivers));
  trust.generations = input.list(() => readGeneration(input));
  if (trust.generations.length === 0) throw new RangeError("no trust is in force");
  input.list(() => {
    const hotspot = within(input.uint32(), count);
    input.list(() =>
      trust.findings.add(
        hotspot,
        readFinding(input, (index) => within(index, count)),
      ),
    );
  });
  input.list(() => trust.appealed.add(within(input.uint32(), count)));
  input.list(() => trust.barredUntil.set(within(input.uint32(), count), input.int64()));
  trust.seeds = input.list(() => within(input.uint32(), count));
  let next = 0;
  input.list(() => {
    const hotspot = within(next++, count);
    trust.heard.set(hotspot, input.int32());
    trust.heardBy.set(hotspot, input.int32());
    trust.corroboration.newestOwner.set(hotspot, input.int32());
    trust.corroboration.newestEpoch.set(hotspot, input.int32());
    trust.corroboration.otherEpoch.set(hotspot, input.int32());
  });
  input.list(() =>
    ledger.escrow.restore({
      hotspot: within(input.uint32(), count),
      owner: within(input.uint32(), accounts.list.length),
      untilEpoch: input.int64(),
      beacons: input.amount(),
      witnesses: input.amount(),
    }),
  );
  ledger.trust = trust;
}

function writeRows(out: ByteWriter, bytes: Uint8Array, rowBytes: number): void {
  out.int32(bytes.length / rowBytes);
  out.bytes(bytes);
}

function readRows(input: ByteReader, rowBytes: number): Uint8Array {
  return input.bytes(input.uint32() * rowBytes);
}

function writeGeneration(out: ByteWriter, generation: TrustGeneration): void {
  const { graphPpm, beliefPpm, trustPpm, creditPpm, standingPpm } = generation;
  out.int64(generation.fromEpoch);
  out.int32(generation.newcomerPpm);
  out.int32(graphPpm.length);
  for (const column of [graphPpm, beliefPpm, trustPpm, creditPpm]) for (const ppm of column) out.int32(ppm);
  for (const ppm of standingPpm) out.int64(ppm);
}

function readGeneration(input: ByteReader): TrustGeneration {
  const fromEpoch = input.int64();
  const newcomerPpm = input.uint32();
  const count = input.uint32();
  // Twenty-four bytes each: what is not there must not be made room for.
  if (count * 24 > input.left) throw new RangeError("a generation longer than the bytes that are left");
  const readColumn = (): Uint32Array => Uint32Array.from({ length: count }, () => input.uint32());
  const [graphPpm, beliefPpm] = [readColumn(), readColumn()];
  const [trustPpm, creditPpm] = [readColumn(), readColumn()];
  const standingPpm = Float64Array.from({ length: count }, () => input.int64());
  return { fromEpoch, newcomerPpm, graphPpm, beliefPpm, trustPpm, creditPpm, standingPpm };
}

function writeFinding(out: ByteWriter, finding: NamedFinding): void {
  out.uint8(PENALTY_REASONS.indexOf(finding.reason) + 1);
  out.int32(finding.factorPpm);
  out.int64(finding.madeEpoch);
  out.int64(finding.endsEpoch);
  out.list(finding.evidence, ({ counterpart, heardEpoch, heardByEpoch }) => {
    out.int32(counterpart);
    out.int32(heardEpoch);
    out.int32(heardByEpoch);
  });
}

function readFinding(input: ByteReader, within: (index: number) => number): NamedFinding {
  const reason = PENALTY_REASONS[input.uint8() - 1];
  if (reason === undefined) throw new RangeError("a penalty that does not exist");
  return {
    reason,
    factorPpm: input.uint32(),
    madeEpoch: input.int64(),
    endsEpoch: input.int64(),
    evidence: input.list(() => ({
      counterpart: within(input.uint32()),
      heardEpoch: input.int32(),
      heardByEpoch: input.int32(),
    })),
  };
}
