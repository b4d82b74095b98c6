/** Messages of a batch: what was encoded comes back with its id, and any other bytes get a reason, never an exception. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { decodeLedgerMessage } from "../../../protocol/src/ledger/bundleDecode.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { encodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import { encodeReportBundle } from "../../../protocol/src/wire/reports.ts";
import { encodeTransaction } from "../../../protocol/src/wire/transactions.ts";
import { keyOf, MessageMaker, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { inRow, Scenario } from "./scenario.ts";

const scenario = new Scenario(inRow(2));
const maker = new MessageMaker(scenario.genesis);
const domains = createSigningDomains(computeNetworkId(scenario.genesis));
const signature = new Uint8Array(64);
const beacon = scenario.beacon(scenario.hotspot(0), 0);
const sender = scenario.hotspot(1).key;
const bundle = {
  epoch: 0,
  beacons: [beacon.report],
  witnesses: [witnessBeacon(beacon, scenario.hotspot(1))],
  reveals: [{ tag: beacon.tag, secret: beacon.secret }],
};
const encoded = encodeEnvelope({ kind: "reports", sender, body: encodeReportBundle(bundle), signature });

test("a bundle and a transaction come back as they were, with their ids", () => {
  expect(decodeLedgerMessage(encoded, domains)).toEqual(maker.reports(sender, 0, bundle));
  const transfer = { kind: "transfer", epoch: 3, nonce: 4, to: keyOf("bob"), amount: 5n } as const;
  const bytes = encodeEnvelope({ kind: "transfer", sender, body: encodeTransaction(transfer), signature });
  expect(decodeLedgerMessage(bytes, domains)).toEqual(maker.transaction(sender, transfer));
});

test("a body of another kind is malformed", () => {
  const body = encodeReportBundle(bundle);
  expect(decodeLedgerMessage(encodeEnvelope({ kind: "transfer", sender, body, signature }), domains)).toMatch(
    /^(malformed|oversized)$/,
  );
});

test("any bytes, and any damage to good ones, give a message or a reason", () => {
  const check = (bytes: Uint8Array): void => {
    const message = decodeLedgerMessage(bytes, domains);
    if (typeof message === "string") expect(["oversized", "malformed", "unknown_kind"]).toContain(message);
    else expect(message.id).toHaveLength(32);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3_000 }), check));
  fc.assert(
    fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = encoded.slice();
      damaged[at]! ^= change;
      check(damaged);
    }),
  );
});
