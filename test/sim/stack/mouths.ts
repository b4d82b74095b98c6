/**
 * Byzantine validators of the full stack. Each runs the honest core, so that it knows what it attacks, behind a mouth
 * that changes, doubles, drops or makes up what leaves: signed with its own key, and nobody else's.
 */
import { encodeAttest } from "../../../protocol/src/agreement/attest.ts";
import { createEvidence } from "../../../protocol/src/agreement/evidence.ts";
import type { Fetch } from "../../../protocol/src/agreement/fetches.ts";
import type { PeerMessage, SignedBatch } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  computeBatchDigest,
  computeValueDigest,
  decodeBatch,
  decodeValue,
  type Evidence,
  encodeAckBody,
  encodeBatch,
  encodeBatchBody,
  encodeTips,
  encodeValue,
} from "../../../protocol/src/agreement/rounds.ts";
import {
  encodeStatement,
  type Statement,
  VOTE_KINDS,
} from "../../../protocol/src/agreement/simplex/index.ts";
import { decodeStanding, encodeStanding } from "../../../protocol/src/agreement/standing.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Prng } from "../prng.ts";
import { earlyCertifier, forkingAuthor } from "./authorMouths.ts";
import type { StackNetwork } from "./genesis.ts";
import { STACK_BEHAVIOURS, type StackBehaviour } from "./scenario.ts";
import { createCheapSigner } from "./signatures.ts";

type Signer = ReturnType<typeof createCheapSigner>;
export type Said = { readonly to: number; readonly message: PeerMessage };

export type MouthContext = {
  readonly prng: Prng;
  readonly self: number;
  readonly network: StackNetwork;
};

export type Mouth = {
  /** What one of the others gets in place of what the core says to it. */
  readonly say: (to: number, message: PeerMessage) => readonly PeerMessage[];
  /** What the mouth says of its own when something comes in. */
  readonly hear?: (from: number, message: PeerMessage) => readonly Said[];
  /** What it says when nothing happens. */
  readonly idle?: () => readonly Said[];
  readonly answers?: (fetch: Fetch) => boolean;
  /** What it answers in place of what the core does. */
  readonly answer?: (fetch: Fetch, said: Uint8Array | null) => Uint8Array | null;
};

export type Attack = (context: MouthContext, signer: Signer) => Mouth;

/** To these it tells the other story. */
const isOther = ({ self }: MouthContext, to: number): boolean => ((to + self) & 1) === 0;

/** As a leader: another value for some, as valid as the first, and the votes that go with it. */
const equivocator: Attack = (context, signer) => {
  const others = new Map<string, { name: string; bytes: Uint8Array }>();
  const sign = (round: number, statement: Statement) =>
    signer.sign(statement.kind, encodeStatement(round, statement)!);
  return {
    say: (to, message) => {
      if (!isOther(context, to)) return [message];
      if (message.type === "proposal") {
        const { proposal, value, round } = message;
        const bytes = value === null ? null : otherValue(value);
        if (bytes === null) return [message];
        const other = { name: encodeHex(computeValueDigest(bytes)), bytes };
        others.set(proposal.value, other);
        const { view, parent, validator, justification } = proposal;
        const statement = { kind: "propose", view, parent, value: other.name } as const;
        const signature = sign(round, statement);
        return [
          {
            type: "proposal",
            round,
            proposal: { ...statement, validator, signature, justification },
            value: bytes,
          },
        ];
      }
      if (message.type !== "vote" || message.vote.value === null) return [message];
      const { round, vote } = message;
      const other = others.get(vote.value!);
      if (other === undefined) return [message];
      const { kind, view, validator } = vote;
      const statement = { kind, view, value: other.name };
      return [{ type: "vote", round, vote: { ...statement, validator, signature: sign(round, statement) } }];
    },
  };
};

/** The same tips in another order: another value, and a valid one. */
function otherValue(bytes: Uint8Array): Uint8Array | null {
  const value = decodeValue(bytes);
  return value && encodeValue({ ...value, tips: [...value.tips].reverse() });
}

/** As an author: now this batch under a number, now that, the second with what nobody may acknowledge, or with nothing. */
const doubleAuthor: Attack = ({ prng, network }, signer) => {
  const lane = signer.publicKey;
  const kept: PeerMessage[] = [];
  const twist = (signed: SignedBatch): PeerMessage => {
    const batch = decodeBatch(signed.batch)!;
    const [first] = batch.messages;
    const forged = first && Uint8Array.from(first, (byte, i) => (i === first.length - 1 ? byte ^ 1 : byte));
    const messages = prng.pick([[], [prng.bytes(40)], forged === undefined ? [] : [forged]]);
    const encoded = encodeBatch({ ...batch, messages });
    const digest = computeBatchDigest(encoded);
    const signature = signer.sign("batch", encodeBatchBody({ lane, seq: batch.seq, digest }));
    return { type: "batch", signed: { epoch: signed.epoch, batch: encoded, signature } };
  };
  return {
    say: (_, message) => {
      if (message.type !== "batch") return [message];
      const said = prng.oneIn(2) ? message : twist(message.signed);
      kept[prng.below(8)] = said;
      return [said];
    },
    idle: () => {
      const known = kept.filter((message) => message !== undefined);
      if (known.length === 0) return [];
      return network.keys.map((_, to) => ({ to, message: prng.pick(known) }));
    },
  };
};

/** Its batches go to as few as make a certificate, and nobody else gets them, asked or not. */
const batchWithholder: Attack = (context) => ({
  say: (to, message) =>
    message.type === "batch" && to === (context.self + 1) % context.network.keys.length ? [] : [message],
  answers: (fetch) => fetch.type !== "batch",
});

/** Certificates of no kind leave it. */
const certificateWithholder: Attack = () => ({
  say: (_, message) =>
    message.type === "certificate" || message.type === "availability" || message.type === "rewardCert"
      ? []
      : [message],
  answers: (fetch) => fetch.type === "batch",
});

/** Tips of batches that are not, of a state that is not, of another time, and others for everybody. */
const tipsLiar: Attack = ({ prng }, signer) => ({
  say: (_, message) => {
    if (message.type !== "tips" || prng.oneIn(4)) return [message];
    const { tips } = message.signed;
    const seq = 1 + prng.below(400);
    const lies = [
      { ...tips, executedDigest: prng.bytes(32) },
      { ...tips, timeMs: prng.oneIn(2) ? 0 : tips.timeMs + 1e9 },
      { ...tips, tips: [...tips.tips.slice(1), { lane: signer.publicKey, seq, digest: prng.bytes(32) }] },
      { ...tips, executedRound: tips.executedRound + prng.below(50) },
    ];
    const lie = prng.pick(lies);
    return [{ type: "tips", signed: { tips: lie, signature: signer.sign("tips", encodeTips(lie)) } }];
  },
});

/** Attests to other roots, to some or to all, to both, and in others' names. */
const wrongAttester: Attack = (context, signer) => ({
  say: (to, message) => {
    if (message.type !== "attest") return [message];
    const { attest, validator } = message.signed;
    const { prng, network } = context;
    const lie = { ...attest, rewardRoot: prng.bytes(32) };
    const signature = signer.sign("attest", encodeAttest(lie));
    const lied = network.keys
      .map(
        (_, position): PeerMessage => ({
          type: "attest",
          signed: { attest: lie, validator: position, signature },
        }),
      )
      .filter((_, position) => position === validator || prng.oneIn(2));
    return isOther(context, to) ? [...lied, message] : lied;
  },
});

/** Acknowledges at once what it has not looked at, what was never there, and in others' names. */
const ackLiar: Attack = ({ prng, self, network }, signer) => ({
  say: (_, message) => [message],
  hear: (from, message) => {
    const batch = message.type === "batch" ? decodeBatch(message.signed.batch) : null;
    if (message.type !== "batch" || batch === null) return [];
    const digest = computeBatchDigest(message.signed.batch);
    const lies = [
      { digest, validator: self },
      { digest: prng.bytes(32), validator: self },
      { digest, validator: prng.below(network.keys.length) },
    ];
    return lies.map(({ validator, ...said }) => {
      const ack = { lane: batch.lane, seq: batch.seq, ...said, epoch: message.signed.epoch };
      const signature = signer.sign("ack", encodeAckBody(ack));
      return { to: from, message: { type: "ack", ack: { ack, validator, signature } } };
    });
  },
});

/** Votes, batches, statuses, certificates and accusations of rounds, views, numbers and epochs without end. */
const flooder: Attack = ({ prng, self, network }, signer) => ({
  say: (_, message) => [message],
  idle: () => {
    const lane = signer.publicKey;
    const to = prng.below(network.keys.length);
    const round = prng.below(40);
    return Array.from({ length: 12 }, (): Said => {
      const kind = prng.pick(VOTE_KINDS);
      const view = 1 + prng.below(prng.oneIn(2) ? 1_000_000 : 20);
      const value = kind === "nullify" ? null : encodeHex(prng.bytes(32));
      const vote = { kind, view, value };
      const encoded = encodeBatch({ lane, seq: 1 + prng.below(600), prev: prng.bytes(32), messages: [] });
      const { seq } = decodeBatch(encoded)!;
      const digest = computeBatchDigest(encoded);
      const epoch = prng.below(8);
      const cert = { lane, seq, digest, epoch, bitmap: Uint8Array.of(15), signatures: [] };
      return {
        to,
        message: prng.pick<PeerMessage>([
          {
            type: "vote",
            round,
            vote: { ...vote, validator: self, signature: signer.sign(kind, encodeStatement(round, vote)!) },
          },
          { type: "status", status: { round: prng.below(1e6), view: 1, rounds: prng.below(1e6) } },
          {
            type: "batch",
            signed: {
              epoch,
              batch: encoded,
              signature: signer.sign("batch", encodeBatchBody({ lane, seq, digest })),
            },
          },
          { type: "availability", cert },
          { type: "evidence", evidence: accuse(prng.pick(network.keys), round, signer) },
        ]),
      };
    });
  },
});

/** Two contradicting votes that are somebody's in form, and signed by whoever accuses. */
function accuse(offender: Uint8Array, round: number, signer: Signer): Evidence {
  const [a, b] = [1, 2].map((fill) => {
    const value = encodeHex(new Uint8Array(32).fill(fill));
    const body = encodeStatement(round, { kind: "notarize", view: 1, value })!;
    return { kind: "notarize", body, signature: signer.sign("notarize", body) } as const;
  });
  return createEvidence(offender, a!, b!)!;
}

/** Everything that it ever heard or said, again and to anyone. */
const replayer: Attack = ({ prng, network }) => {
  const kept: PeerMessage[] = [];
  const keep = (message: PeerMessage) => {
    kept[prng.below(128)] = message;
  };
  return {
    say: (_, message) => {
      keep(message);
      return [message];
    },
    hear: (_, message) => {
      keep(message);
      return [];
    },
    idle: () => {
      const known = kept.filter((message) => message !== undefined);
      if (known.length === 0) return [];
      return Array.from({ length: 6 }, () => ({
        to: prng.below(network.keys.length),
        message: prng.pick(known),
      }));
    },
  };
};

/** Rounds that were never decided, or none at all, to one who asks where the others are; of its word it knows nothing. */
const standingLiar: Attack = ({ prng }) => ({
  say: (_, message) => [message],
  answer: (fetch, said) => {
    const standing = fetch.type === "standing" && said !== null ? decodeStanding(said) : null;
    if (standing === null) return said;
    const rounds = prng.pick([0, 0, standing.rounds + 1 + prng.below(40), 1_000_000]);
    return encodeStanding({ rounds, tips: [], batch: [] });
  },
});

const silent: Attack = () => ({ say: () => [], answers: () => false });

const ATTACKS = {
  silent,
  equivocator,
  doubleAuthor,
  batchWithholder,
  certificateWithholder,
  tipsLiar,
  wrongAttester,
  ackLiar,
  flooder,
  replayer,
  standingLiar,
  forkingAuthor,
  earlyCertifier,
} as const satisfies Partial<Record<StackBehaviour, Attack>>;

/** The mouth of a behaviour; `mixed` uses any of them, each time anew. */
export function createMouth(behaviour: Exclude<StackBehaviour, "twins">, context: MouthContext): Mouth {
  const signer = createCheapSigner(context.network.domains, context.network.keys[context.self]!);
  if (behaviour !== "mixed") return ATTACKS[behaviour](context, signer);
  const { prng } = context;
  const all = STACK_BEHAVIOURS.flatMap((each) =>
    each === "mixed" || each === "twins" ? [] : [ATTACKS[each](context, signer)],
  );
  return {
    say: (to, message) => prng.pick(all).say(to, message),
    hear: (from, message) => prng.pick(all).hear?.(from, message) ?? [],
    idle: () => prng.pick(all).idle?.() ?? [],
    answers: () => prng.oneIn(2),
  };
}
