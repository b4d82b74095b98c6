/** What validators agreed on: rounds, certificates and sets that anyone can verify without trusting this one. */
import { Type } from "typebox";
import { encodeCheckpoint } from "../../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../../protocol/src/crypto/sha256.ts";
import { presentRound } from "../present.ts";
import { presentRewardCert } from "../presentValidators.ts";
import { notFound } from "../problem.ts";
import { isUnchanged } from "../requests.ts";
import { Checkpoint, RewardCertificate } from "../schemas/agreement.ts";
import { json, object, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import { Round } from "../schemas/entities.ts";
import type { RouteContext, Routes } from "./context.ts";

const NUMBER = "^[0-9]{1,15}$";
const EpochParams = object({ epoch: Type.String({ pattern: NUMBER, description: "An epoch's number." }) });

export function addAgreementRoutes(routes: Routes, context: RouteContext): void {
  addRounds(routes, context);
  addCertificates(routes, context);
}

function addRounds(routes: Routes, { modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/rounds/:round",
    {
      schema: {
        summary: "A finalized and executed round, with its certificate",
        tags: ["status"],
        params: object({ round: Type.String({ pattern: NUMBER, description: "A round's number." }) }),
        response: { 200: json("The round.", Round), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const round = await store.getRound(Number(request.params.round));
      if (round === null) throw notFound("executed round");
      const basis = { digest: round.stateDigest, sinceMs: round.timeMs };
      // Any quorum's certificate of the same round is another one.
      const variant = `round-${encodeHex(sha256(round.finalCert).subarray(0, 8))}`;
      if (isUnchanged(request, reply, { basis, variant, isFixed: true })) return reply.code(304).send(null);
      return presentRound(round);
    },
  );
}

function addCertificates(routes: Routes, { options, modules: { store, agreement } }: RouteContext): void {
  routes.get(
    "/v1/epochs/:epoch/certificate",
    {
      schema: {
        summary: "An epoch's reward certificate: a quorum's word for its roots",
        tags: ["epochs"],
        params: EpochParams,
        response: { 200: json("The certificate.", RewardCertificate), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const epoch = Number(request.params.epoch);
      const cert = await agreement.rewardCert(epoch);
      const set = await store.findSet(epoch);
      if (cert === null || set === null) throw notFound("certified epoch");
      // Any quorum's word for the same is another one.
      const basis = { digest: cert.attest.rewardRoot, sinceMs: null };
      const variant = `certificate-${epoch}-${encodeHex(cert.bitmap)}`;
      if (isUnchanged(request, reply, { basis, variant, isFixed: true })) return reply.code(304).send(null);
      return presentRewardCert(cert, set.keys);
    },
  );
  routes.get(
    "/v1/epochs/:epoch/checkpoint",
    {
      schema: {
        summary: "The validator sets to begin light verification from",
        description:
          "Compare it with what others whom you trust say: whoever gives a checkpoint decides what it proves.",
        tags: ["epochs"],
        params: EpochParams,
        response: { 200: json("The checkpoint.", Checkpoint), 304: UNCHANGED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const epoch = Number(request.params.epoch);
      const [set, next] = await Promise.all([store.findSet(epoch), store.findSet(epoch + 1)]);
      if (set === null || next === null) throw notFound("epoch with fixed validators");
      // The sets of an epoch are fixed before it begins, and the network's history has but one of each.
      const basis = { digest: options.network.id, sinceMs: null };
      const variant = `checkpoint-${epoch}`;
      if (isUnchanged(request, reply, { basis, variant, isFixed: true })) return reply.code(304).send(null);
      const { validators, nextValidators, ...rest } = encodeCheckpoint({
        networkId: options.network.id,
        epoch,
        validators: set.keys,
        nextValidators: next.keys,
      });
      return { ...rest, validators: [...validators], nextValidators: [...nextValidators] };
    },
  );
}
