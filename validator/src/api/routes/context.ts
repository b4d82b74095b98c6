/** What every file of routes is given. */

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import { computeStatusEpochs, type StatusEpochs } from "../../store/hotspotStatus.ts";
import type { LongAnswers } from "../longAnswers.ts";
import type { ApiModules, ApiOptions } from "../modules.ts";

/** A fastify whose handlers see the types of their schemas. */
export type Routes = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type RouteContext = {
  readonly options: ApiOptions;
  readonly modules: ApiModules;
  readonly longAnswers: LongAnswers;
};

/** The epochs by which a hotspot's status is told: the newest round's, and the oldest that still counts as recent. */
export async function readStatusEpochs({ options, modules }: RouteContext): Promise<StatusEpochs> {
  return computeStatusEpochs((await modules.store.latestRound())?.epoch ?? 0, options.network.parameters);
}
