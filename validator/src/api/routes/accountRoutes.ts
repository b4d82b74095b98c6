/** Accounts, and the way in for their transactions. */
import { Type } from "typebox";
import { decodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import type { AdmissionReason } from "../../../../protocol/src/evidence/reasons.ts";
import { decodeEnvelope, MAX_ENVELOPE_BYTES } from "../../../../protocol/src/wire/envelope.ts";
import { presentTransaction } from "../present.ts";
import { ApiProblem, badField, notFound } from "../problem.ts";
import { readKey } from "../requests.ts";
import { Hash, HashInput, json, KeyInput, object, PROBLEMS } from "../schemas/common.ts";
import { Account, Transaction } from "../schemas/entities.ts";
import type { RouteContext, Routes } from "./context.ts";

const IdParams = object({ id: KeyInput });

export function addAccountRoutes(routes: Routes, { modules: { store } }: RouteContext): void {
  routes.get(
    "/v1/accounts/:id",
    {
      schema: {
        summary: "An account: its balance, and all that it ever earned",
        tags: ["accounts"],
        params: IdParams,
        response: { 200: json("The account.", Account), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const row = await store.getAccount(readKey("id", params.id));
      if (row === null) throw notFound("account");
      return {
        id: encodeDidKey(row.key),
        name: computeName(row.key),
        balance: `${row.balance}`,
        earned: `${row.earned}`,
        nonce: row.nonce,
      };
    },
  );
}

/** What a refusal means in HTTP where it is not the content's fault. */
const STATUS_OF_REASON: Partial<Record<AdmissionReason, number>> = {
  rate_limited: 429,
  busy: 503,
  malformed: 400,
  oversized: 413,
};

const refusal = (reason: AdmissionReason): ApiProblem =>
  new ApiProblem(STATUS_OF_REASON[reason] ?? 422, "The transaction was refused.", { reason });

const refused = {
  content: {
    "application/problem+json": { schema: PROBLEMS[400].content["application/problem+json"].schema },
  },
};

export function addTransactionRoutes(routes: Routes, context: RouteContext): void {
  addSubmission(routes, context);
  addTransactionLookup(routes, context);
}

function addTransactionLookup(routes: Routes, { modules: { store, isPending } }: RouteContext): void {
  routes.get(
    "/v1/transactions/:id",
    {
      schema: {
        summary: "What became of a transaction",
        description:
          "Its id is what submitting answered with. It is told of until two epochs after the one that included it.",
        tags: ["accounts"],
        params: object({ id: HashInput }),
        response: { 200: json("The transaction.", Transaction), ...PROBLEMS },
      },
    },
    async ({ params }) => {
      const id = decodeHex(params.id, 32)!;
      // Asked first: between two questions it may go from pending to executed, and never back.
      const wasPending = await isPending(id);
      const row = await store.getTransaction(id);
      if (row !== null) return presentTransaction(row);
      if (!wasPending) throw notFound("transaction");
      return {
        id: encodeHex0x(id),
        verdict: "pending" as const,
        reason: null,
        kind: null,
        type: null,
        sender: null,
        round: null,
      };
    },
  );
}

function addSubmission(routes: Routes, { modules }: RouteContext): void {
  routes.post(
    "/v1/transactions",
    {
      schema: {
        summary: "Submit a signed transaction",
        description: "Admitted means checked and on its way into a round; execution has the last word.",
        tags: ["accounts"],
        body: object({
          envelope: Type.String({
            pattern: "^(0x)?([0-9a-fA-F]{2})+$",
            maxLength: 2 + 2 * MAX_ENVELOPE_BYTES,
            description: "The encoded envelope in hexadecimal.",
          }),
        }),
        response: {
          202: json("Admitted.", object({ id: Hash })),
          ...PROBLEMS,
          413: { description: "The envelope is too large.", ...refused },
          422: { description: "Refused, for the reason that is given.", ...refused },
        },
      },
    },
    async ({ body }, reply) => {
      const bytes = decodeHex(body.envelope);
      if (bytes === null) throw badField("envelope", "must be an envelope in hexadecimal");
      const decoded = decodeEnvelope(bytes);
      // Reports come over the network's own streams, where their hotspot is answered with a receipt.
      if (decoded.ok && decoded.envelope.kind === "reports") throw refusal("unknown_kind");
      const { id, reason } = await modules.submitTransaction(bytes);
      if (reason !== null) throw refusal(reason);
      if (id === null) throw new Error("an admitted transaction has an id");
      return reply.code(202).send({ id: encodeHex0x(id) });
    },
  );
}
