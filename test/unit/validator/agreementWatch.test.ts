/** What the metrics learn of agreement from the messages that go out and come in. */
import { beforeEach, describe, expect, test } from "vitest";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { AgreementWatch } from "../../../validator/src/agreementWatch.ts";
import type { Mesh } from "../../../validator/src/mesh/mesh.ts";

const bytes = (fill: number) => new Uint8Array(32).fill(fill);
const tips = (round: number): PeerMessage => ({
  type: "tips",
  signed: {
    tips: { round, validator: bytes(1), timeMs: 0, tips: [], executedRound: 0, executedDigest: bytes(0) },
    signature: new Uint8Array(64),
  },
});
const certificate = (
  round: number,
  view: number,
  kind: "notarize" | "nullify" | "finalize",
): PeerMessage => ({
  type: "certificate",
  round,
  certificate: { kind, view, value: null, signers: [], proof: {} },
});
const vote = (round: number): PeerMessage => ({
  type: "vote",
  round,
  vote: { kind: "notarize", view: 1, value: "00", validator: 0, signature: {} },
});
const status = (rounds: number): PeerMessage => ({ type: "status", status: { round: 0, view: 0, rounds } });
const ack = (lane: number, seq: number): PeerMessage => ({
  type: "ack",
  ack: {
    ack: { lane: bytes(lane), seq, digest: bytes(2), epoch: 0 },
    validator: 0,
    signature: new Uint8Array(64),
  },
});

describe("the watch on agreement", () => {
  let nowMs: number;
  let seen: (string | number)[][];
  let sent: PeerMessage[];
  let watch: AgreementWatch;
  let mesh: Mesh;
  beforeEach(() => {
    nowMs = 1_000;
    seen = [];
    sent = [];
    watch = new AgreementWatch({
      nowMs: () => nowMs,
      observer: {
        onViewEnded: (seconds) => seen.push(["view", seconds]),
        onRoundSettled: (seconds) => seen.push(["round", seconds]),
        onVote: (way, kind) => seen.push([way, kind]),
      },
    });
    mesh = watch.observe({
      broadcast: (message) => void sent.push(message),
      send: (_to, message) => void sent.push(message),
      fetch: async () => null,
      connected: () => [],
      charge: () => {},
    });
  });
  const at = (timeMs: number, message: PeerMessage) => {
    nowMs = timeMs;
    mesh.broadcast(message);
  };

  test("passes on what is sent, and counts votes both ways", () => {
    mesh.broadcast(vote(3));
    mesh.send("peer", vote(3));
    watch.onMessage("peer", vote(3));
    expect(sent).toEqual([vote(3), vote(3)]);
    expect(seen).toEqual([
      ["sent", "notarize"],
      ["sent", "notarize"],
      ["received", "notarize"],
    ]);
  });

  test("tells how long each view and the round took, whatever is said again", () => {
    at(1_000, tips(7));
    at(1_300, tips(7));
    at(1_900, certificate(7, 1, "nullify"));
    at(2_000, certificate(7, 1, "nullify"));
    at(2_100, certificate(7, 2, "notarize"));
    at(2_150, certificate(6, 5, "notarize"));
    at(2_200, certificate(7, 2, "finalize"));
    watch.onDecided(7);
    watch.onDecided(7);
    expect(seen).toEqual([
      ["view", 0.9],
      ["view", 0.2],
      ["view", 0.1],
      ["round", 1.2],
    ]);
  });

  test("counts no time for rounds that were caught up with", () => {
    at(1_000, tips(7));
    watch.onDecided(6);
    watch.onDecided(40);
    at(9_000, tips(41));
    nowMs = 9_500;
    watch.onDecided(41);
    expect(seen).toEqual([
      ["view", 0.5],
      ["round", 0.5],
    ]);
  });

  test("tells how far the others are, by what more than the faulty say", () => {
    const keys = [1, 2, 3, 4].map(bytes);
    const [a, b, c] = keys.map(encodeHex) as [string, string, string];
    watch.onMessage(a, status(90));
    watch.onMessage(b, tips(50));
    watch.onMessage(c, vote(51));
    const set = createValidatorSet(keys);
    expect(watch.computeBehind(40, [set])).toBe(11);
    expect(watch.computeBehind(60, [set])).toBe(0);
  });

  test("counts the batches of a lane that wait for a cut", () => {
    mesh.send("peer", ack(5, 3));
    mesh.send("peer", ack(5, 2));
    expect(watch.countWaiting(encodeHex(bytes(5)))).toBe(3);
    watch.onCut([{ lane: bytes(5), seq: 2 }]);
    expect(watch.countWaiting(encodeHex(bytes(5)))).toBe(1);
    watch.onCut([{ lane: bytes(5), seq: 9 }]);
    expect(watch.countWaiting(encodeHex(bytes(5)))).toBe(0);
    expect(watch.countWaiting(encodeHex(bytes(6)))).toBe(0);
  });
});
