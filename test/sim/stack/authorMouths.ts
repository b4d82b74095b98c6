/** Byzantine authors whose lies are in when and to whom a batch or its certificate is shown. See `mouths.ts`. */
import { assembleSignatures, createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import type { Ack } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  computeBatchDigest,
  decodeBatch,
  encodeAckBody,
  encodeBatch,
  encodeBatchBody,
} from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Attack, Said } from "./mouths.ts";

/**
 * As an author: a lane for each of the others that nobody else hears of, so that no cut ever has it, and now and then
 * another batch under one of its numbers. Who has lost its home is alone in not knowing what it acknowledged there.
 */
export const forkingAuthor: Attack = ({ prng, network }, signer) => {
  const lane = signer.publicKey;
  const messages: Uint8Array[] = [];
  const bodies = new Map<string, Uint8Array>();
  const chains = network.keys.map((): Uint8Array[] => []);
  // Its own core asks what others hold of its word, until it signs, and would take this for another process's.
  let isSigning = false;
  const write = (seq: number, prev: Uint8Array) => {
    const encoded = encodeBatch({ lane, seq, prev, messages: [prng.pick(messages)] });
    const digest = computeBatchDigest(encoded);
    bodies.set(encodeHex(digest), encoded);
    return digest;
  };
  const tell = (to: number): Said => {
    const chain = chains[to]!;
    const prevOf = (seq: number) => chain[seq - 2] ?? LANE_START;
    if (chain.length === 0 || prng.oneIn(4)) chain.push(write(chain.length + 1, prevOf(chain.length + 1)));
    const isFork = prng.oneIn(4);
    const seq = isFork ? 1 + prng.below(chain.length) : chain.length;
    const digest = isFork ? write(seq, prevOf(seq)) : chain[seq - 1]!;
    const signature = signer.sign("batch", encodeBatchBody({ lane, seq, digest }));
    const batch = bodies.get(encodeHex(digest))!;
    return { to, message: { type: "batch", signed: { epoch: prng.below(3), batch, signature } } };
  };
  return {
    say: (_, message) => {
      isSigning ||= message.type === "tips";
      return message.type === "batch" ? [] : [message];
    },
    hear: (_, message) => {
      if (message.type === "batch") messages.push(...decodeBatch(message.signed.batch)!.messages);
      return [];
    },
    idle: () => (messages.length === 0 || !isSigning ? [] : network.keys.map((_, to) => tell(to))),
    answer: (fetch, said) => (fetch.type === "batch" ? (bodies.get(encodeHex(fetch.digest)) ?? said) : said),
  };
};

/**
 * As an author: has each batch certified for the epoch to come too, and shows that as soon as tips have named the first
 * certificate. It proposes nothing, as its own values could use those tips.
 */
export const earlyCertifier: Attack = ({ self, network }, signer) => {
  const lane = signer.publicKey;
  // The sets of epochs 0 and 1 are genesis's; of later ones it knows nothing.
  const set = createValidatorSet(network.genesis.validators.map(({ key }) => key));
  const acks = new Map<string, Map<number, Uint8Array>>();
  const certs: AvailabilityCert[] = [];
  const gather = ({ ack, validator, signature }: Ack): void => {
    const body = encodeAckBody(ack);
    const own: [number, Uint8Array] = [self, signer.sign("ack", body)];
    const signatures = acks.get(encodeHex(body)) ?? new Map([own]);
    acks.set(encodeHex(body), signatures.set(validator, signature));
    if (signatures.size === set.quorum) certs.push({ ...ack, ...assembleSignatures(signatures, set) });
  };
  return {
    say: (_, message) => {
      if (message.type === "proposal") return [];
      if (message.type !== "batch" || message.signed.epoch !== 0) return [message];
      return [message, { type: "batch", signed: { ...message.signed, epoch: 1 } }];
    },
    hear: (from, message) => {
      if (message.type === "ack" && message.ack.ack.epoch === 1 && equalBytes(message.ack.ack.lane, lane))
        gather(message.ack);
      if (message.type !== "tips") return [];
      return certs.map((cert) => ({ to: from, message: { type: "availability", cert } }));
    },
  };
};
