/** What validators agreed on, and who they are: certificates that anyone can verify without trusting this one. */
import { Type } from "typebox";
import {
  encodeAttest,
  encodeRewardCert,
  type RewardCert,
} from "../../../../protocol/src/agreement/attest.ts";
import { decodeBitmap } from "../../../../protocol/src/agreement/rounds.ts";
import { encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import type { ValidatorSeatView } from "../modules.ts";
import { presentRound } from "../present.ts";
import { notFound } from "../problem.ts";
import { RewardCertificate, type RewardCertificateJson, Validators } from "../schemas/agreement.ts";
import { json, object, PROBLEMS } from "../schemas/common.ts";
import { Round } from "../schemas/entities.ts";
import type { RouteContext, Routes } from "./context.ts";

const NUMBER = "^[0-9]{1,15}$";

export function addAgreementRoutes(routes: Routes, { modules }: RouteContext): void {
  const { store, agreement } = modules;
  routes.get(
    "/v1/rounds/:round",
    {
      schema: {
        summary: "A finalized and executed round, with its certificate",
        tags: ["status"],
        params: object({ round: Type.String({ pattern: NUMBER, description: "A round's number." }) }),
        response: { 200: json("The round.", Round), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const round = await store.getRound(Number(params.round));
      if (round === null) throw notFound("executed round");
      return presentRound(round);
    },
  );
  routes.get(
    "/v1/epochs/:epoch/certificate",
    {
      schema: {
        summary: "An epoch's reward certificate: a quorum's word for its roots",
        tags: ["epochs"],
        params: object({ epoch: Type.String({ pattern: NUMBER, description: "An epoch's number." }) }),
        response: { 200: json("The certificate.", RewardCertificate), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const cert = agreement.rewardCert(Number(params.epoch));
      if (cert === null) throw notFound("certified epoch");
      return presentRewardCert(cert, agreement.seats());
    },
  );
  routes.get(
    "/v1/validators",
    {
      schema: {
        summary: "The validator set, in the order of its seats",
        tags: ["status"],
        response: { 200: json("The validators.", Validators), ...PROBLEMS },
      },
    },
    async () => ({
      quorum: agreement.quorum,
      items: agreement.seats().map(({ key, stake, multiaddrs, connected }, seat) => ({
        seat,
        id: encodeDidKey(key),
        name: computeName(key),
        stake: `${stake}`,
        multiaddrs: [...multiaddrs],
        connected,
      })),
    }),
  );
}

function presentRewardCert(cert: RewardCert, seats: readonly ValidatorSeatView[]): RewardCertificateJson {
  const { attest } = cert;
  const signers = decodeBitmap(cert.bitmap, seats.length) ?? [];
  return {
    attest: {
      epoch: attest.epoch,
      rewardRoot: encodeHex0x(attest.rewardRoot),
      stateRoot: encodeHex0x(attest.stateRoot),
      nextValidatorsHash: encodeHex0x(attest.nextValidatorsHash),
      parametersHash: encodeHex0x(attest.parametersHash),
      rulesVersion: attest.rulesVersion,
    },
    signers: signers.map((seat) => encodeDidKey(seats[seat]!.key)),
    signatures: cert.signatures.map(encodeHex0x),
    bytes: { certificate: encodeHex0x(encodeRewardCert(cert)), attest: encodeHex0x(encodeAttest(attest)) },
  };
}
