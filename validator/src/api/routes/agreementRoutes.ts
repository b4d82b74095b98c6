/** What validators agreed on: rounds and certificates that anyone can verify without trusting this one. */
import { Type } from "typebox";
import { encodeRewardCert } from "../../../../protocol/src/agreement/attest.ts";
import {
  encodeCheckpoint,
  MAX_SET_STEPS,
  type SetStepJson,
} from "../../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { sha256 } from "../../../../protocol/src/crypto/sha256.ts";
import { SET_LEAD_EPOCHS } from "../../store/validatorRows.ts";
import { presentRound } from "../present.ts";
import { presentRewardCert } from "../presentValidators.ts";
import { ApiProblem, badField, notFound } from "../problem.ts";
import { isUnchanged, readKey } from "../requests.ts";
import { Checkpoint, Proof, RewardCertificate } from "../schemas/agreement.ts";
import { json, KeyInput, object, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import { Round } from "../schemas/entities.ts";
import type { RouteContext, Routes } from "./context.ts";

const NUMBER = "^[0-9]{1,15}$";
const EpochParams = object({ epoch: Type.String({ pattern: NUMBER, description: "An epoch's number." }) });

export function addAgreementRoutes(routes: Routes, context: RouteContext): void {
  addRounds(routes, context);
  addCertificates(routes, context);
  addProofs(routes, context);
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

function addProofs(routes: Routes, context: RouteContext): void {
  const { options, modules } = context;
  routes.get(
    "/v1/accounts/:id/proof",
    {
      schema: {
        summary: "Proof of what an account earned up to the last closed epoch, with all that verifies it",
        description:
          "Check it offline: `hexbeacon verify --genesis genesis.json --reward proof.json`. With `since` only the changes of the validator set after a checkpoint of that epoch are given.",
        tags: ["accounts"],
        params: object({ id: KeyInput }),
        querystring: object({
          since: Type.Optional(
            Type.String({ pattern: NUMBER, description: "The epoch of the checkpoint that you trust." }),
          ),
        }),
        response: {
          200: json("The proof.", Proof),
          ...PROBLEMS,
          410: {
            description: "This validator does not keep a certificate that the proof needs.",
            content: PROBLEMS[404].content,
          },
        },
      },
    },
    async ({ params, query }) => {
      const proof = await modules.ledger.rewardProof(readKey("id", params.id));
      if (proof === null) throw notFound("account with earnings");
      const certificate = await modules.agreement.rewardCert(proof.epoch);
      return {
        ...proof,
        branch: [...proof.branch],
        networkId: encodeHex0x(options.network.id),
        certificate: certificate && encodeHex0x(encodeRewardCert(certificate)),
        setHistory: (await listSteps(context, query.since, proof.epoch)).map(
          ({ certificate: step, validators }) => ({ certificate: step, validators: [...validators] }),
        ),
      };
    },
  );
}

/** The changes of the set after what a checkpoint pins (its epoch's set and the next), up to an epoch. */
async function listSteps(
  { modules: { store, agreement } }: RouteContext,
  since: string | undefined,
  epoch: number,
): Promise<SetStepJson[]> {
  const pinned = since === undefined ? 0 : Number(since) + 1;
  const changes = await store.listSetChanges(pinned, epoch, MAX_SET_STEPS);
  const more = await store.listSetChanges(changes.at(-1)?.fromEpoch ?? epoch, epoch, 1);
  if (more.length > 0)
    throw badField("since", "must name a newer checkpoint: the set has changed too often since");
  const steps: SetStepJson[] = [];
  for (const { fromEpoch, keys } of changes) {
    const certificate = await agreement.rewardCert(fromEpoch - SET_LEAD_EPOCHS);
    // A validator that joined from a snapshot has no older certificates; whoever asks has a checkpoint, or asks another.
    if (certificate === null) {
      const missing = `certificate of epoch ${fromEpoch - SET_LEAD_EPOCHS}`;
      throw new ApiProblem(
        410,
        `This validator does not keep the ${missing}: ask another, or name a newer checkpoint.`,
      );
    }
    steps.push({
      certificate: encodeHex0x(encodeRewardCert(certificate)),
      validators: keys.map(encodeDidKey),
    });
  }
  return steps;
}
