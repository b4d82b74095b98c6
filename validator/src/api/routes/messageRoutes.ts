/** One message's way: for whoever asks where a report is, or why it was not paid. */
import { decodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { notFound } from "../problem.ts";
import { HashInput, json, object, PROBLEMS } from "../schemas/common.ts";
import { MessageTrace } from "../schemas/messages.ts";
import type { RouteContext, Routes } from "./context.ts";

export function addMessageRoutes(routes: Routes, { modules }: RouteContext): void {
  routes.get(
    "/v1/messages/:id",
    {
      schema: {
        summary: "A message's way from intake to verdict and pay, with times",
        tags: ["evidence"],
        params: object({ id: HashInput }),
        response: { 200: json("Its way so far.", MessageTrace), ...PROBLEMS },
      },
    },
    async ({ params: { id } }) => {
      const trace = await modules.traceMessage(decodeHex(id, 32)!);
      if (trace === null) throw notFound("message, or it is forgotten: ids are remembered for three epochs");
      return trace;
    },
  );
}
