/**
 * `npm run generate:client`: writes the description that the API promises to keep, and the client's types from it. Refuses,
 * and writes nothing, where the change would break programs that use the API.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { compareApis, HOW_TO_VERSION } from "./compareApis.ts";
import { describeApi, type OpenApi } from "./openApi.ts";
import { writeClient } from "./writeClient.ts";

export const PROMISE = new URL("../vectors/openapi.json", import.meta.url);
export const CLIENT = new URL("../../validator/client/api.ts", import.meta.url);

/** The text of the committed description. */
export const writePromise = (api: OpenApi): string => `${JSON.stringify(api, null, 1)}\n`;

if (import.meta.main) {
  const api = await describeApi();
  const breaks = existsSync(PROMISE) ? compareApis(JSON.parse(readFileSync(PROMISE, "utf8")), api) : [];
  if (breaks.length > 0) {
    console.error([...breaks, HOW_TO_VERSION].join("\n"));
    process.exit(1);
  }
  writeFileSync(PROMISE, writePromise(api));
  writeFileSync(CLIENT, writeClient(api));
}
