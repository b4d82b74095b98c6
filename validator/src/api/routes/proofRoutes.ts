/** Proofs of what accounts have earned, with the certificates and the changes of the validator set that verify them. */
import { Type } from "typebox";
import {
  encodeRewardEvidence,
  MAX_SET_STEPS,
  type SetStep,
} from "../../../../protocol/src/agreement/rewardEvidence.ts";
import { SET_LEAD_EPOCHS } from "../../store/validatorRows.ts";
import { ApiProblem, badField, notFound } from "../problem.ts";
import { readKey } from "../requests.ts";
import { Proof } from "../schemas/agreement.ts";
import { json, KeyInput, object, PROBLEMS } from "../schemas/common.ts";
import type { RouteContext, Routes } from "./context.ts";

export function addProofRoutes(routes: Routes, context: RouteContext): void {
  const { options, modules } = context;
  routes.get(
    "/v1/accounts/:id/proof",
    {
      config: { work: "proof" },
      schema: {
        summary: "Proof of what an account earned up to the last closed epoch, with all that verifies it",
        description:
          "Check it offline: `hexbeacon verify --genesis genesis.json --reward proof.json`. With `since` only the changes of the validator set after a checkpoint of that epoch are given.",
        tags: ["accounts"],
        params: object({ id: KeyInput }),
        querystring: object({
          since: Type.Optional(
            Type.String({
              pattern: "^[0-9]{1,15}$",
              description: "The epoch of the checkpoint that you trust.",
            }),
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
      const proven = await modules.ledger.rewardProof(readKey("id", params.id));
      if (proven === null) throw notFound("account with earnings");
      const { proof, epoch } = proven;
      const certificate = await modules.agreement.rewardCert(epoch);
      const setHistory = await listSteps(context, query.since, epoch);
      const evidence = { networkId: options.network.id, proof, epoch, certificate, setHistory };
      // The schema's lists are not read-only.
      return encodeRewardEvidence(evidence) as never;
    },
  );
}

/** The changes of the set after what a checkpoint pins (its epoch's set and the next), up to an epoch. */
async function listSteps(
  { modules: { store, agreement } }: RouteContext,
  since: string | undefined,
  epoch: number,
): Promise<SetStep[]> {
  const pinned = since === undefined ? 0 : Number(since) + 1;
  const changes = await store.listSetChanges(pinned, epoch, MAX_SET_STEPS);
  const more = await store.listSetChanges(changes.at(-1)?.fromEpoch ?? epoch, epoch, 1);
  if (more.length > 0)
    throw badField("since", "must name a newer checkpoint: the set has changed too often since");
  const steps: SetStep[] = [];
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
    steps.push({ certificate, validators: keys });
  }
  return steps;
}
