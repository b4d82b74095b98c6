/** The promise that the API keeps: its description is the committed one or wider, and the client is made from it. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { writeCsvHeader } from "../../../validator/src/api/csv.ts";
import { REWARD_LINE_COLUMNS } from "../../../validator/src/api/present.ts";
import { ACCOUNT_BUCKET_COLUMNS, REWARD_BUCKET_COLUMNS } from "../../../validator/src/api/presentRewards.ts";
import { compareApis, HOW_TO_VERSION } from "../../contract/compareApis.ts";
import { CLIENT, PROMISE, writePromise } from "../../contract/main.ts";
import { describeApi, type OpenApi, type Schema } from "../../contract/openApi.ts";
import { writeClient } from "../../contract/writeClient.ts";

const ASK = "run `npm run generate:client` and commit what it writes";

describe("the API of this tree", () => {
  let api: OpenApi;
  let promise: OpenApi;
  beforeAll(async () => {
    api = await describeApi();
    promise = JSON.parse(readFileSync(PROMISE, "utf8"));
  });

  test("breaks nobody's program", () => {
    const breaks = compareApis(promise, api);
    expect(breaks, `${breaks.join("\n")}\n${HOW_TO_VERSION}`).toEqual([]);
  });

  test("is described as was committed", () => {
    expect(writePromise(api) === writePromise(promise), `the description has changed: ${ASK}`).toBe(true);
  });

  test("has the client that is made from it", () => {
    expect(writeClient(api) === readFileSync(CLIENT, "utf8"), `the client is another: ${ASK}`).toBe(true);
  });
});

test("the tables of the API have the columns that programs count on, in their places", () => {
  // A new one comes last.
  expect(
    [REWARD_LINE_COLUMNS, REWARD_BUCKET_COLUMNS, ACCOUNT_BUCKET_COLUMNS].map((one) => writeCsvHeader(one)),
  ).toEqual([
    "rank,hotspot,name,owner,beaconUnitsPpm,witnessUnitsPpm,scalePpm,beaconPaid,witnessPaid,paid,trustPpm,beaconWithheld,witnessWithheld\r\n",
    "period,startTimeMs,firstEpoch,lastEpoch,epochs,beaconUnitsPpm,witnessUnitsPpm,scalePpm,beaconPaid,witnessPaid,paid,withheld,released,earned\r\n",
    "period,startTimeMs,firstEpoch,lastEpoch,epochs,lines,beaconPaid,witnessPaid,validatorPaid,released,earned\r\n",
  ]);
});

const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: "object",
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
  additionalProperties: false,
});
const text: Schema = { type: "string" };
const whole: Schema = { type: "integer", minimum: 0, maximum: 9 };

type Change = {
  readonly query?: Record<string, { schema: Schema; required?: boolean }>;
  readonly body?: Schema;
  readonly answer?: Schema;
  readonly status?: string;
  readonly type?: string;
};

/** An API of one route, with its parts as given. */
function apiOf({
  query = {},
  body,
  answer = text,
  status = "200",
  type = "application/json",
}: Change): OpenApi {
  const parameters = Object.entries(query).map(([name, one]) => ({ name, in: "query" as const, ...one }));
  const requestBody = body && { content: { "application/json": { schema: body } } };
  const operation = {
    parameters,
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: { [status]: { content: { [type]: { schema: answer } } } },
  };
  return { openapi: "3.1.0", info: {}, components: { schemas: {} }, paths: { "/a": { get: operation } } };
}

const breaksOf = (before: Change, after: Change) => compareApis(apiOf(before), apiOf(after));

describe("a change breaks", () => {
  test.each<[string, Change, Change, string]>([
    ["a parameter removed", { query: { q: { schema: text } } }, {}, "q in the request is no longer taken"],
    [
      "a parameter newly required",
      {},
      { query: { q: { schema: text, required: true } } },
      "the q in the request is newly required",
    ],
    [
      "an optional one made required",
      { query: { q: { schema: text } } },
      { query: { q: { schema: text, required: true } } },
      "newly required",
    ],
    [
      "another default",
      { query: { q: { schema: { ...whole, default: 3 } } } },
      { query: { q: { schema: { ...whole, default: 4 } } } },
      "q left out now means 4, was 3",
    ],
    [
      "a default that is no longer told",
      { query: { q: { schema: { ...whole, default: 3 } } } },
      { query: { q: { schema: whole } } },
      "q left out now means undefined, was 3",
    ],
    [
      "an enum's value no longer taken",
      { query: { q: { schema: { enum: ["a", "b"] } } } },
      { query: { q: { schema: { enum: ["a"] } } } },
      'q no longer takes "b"',
    ],
    [
      "free text made a list of words",
      { query: { q: { schema: text } } },
      { query: { q: { schema: { enum: ["a"] } } } },
      "q no longer takes any string",
    ],
    [
      "a smaller range",
      { query: { q: { schema: whole } } },
      { query: { q: { schema: { ...whole, maximum: 5 } } } },
      "q takes less: maximum 5, was 9",
    ],
    [
      "a new pattern",
      { query: { q: { schema: text } } },
      { query: { q: { schema: { ...text, pattern: "^a" } } } },
      "q takes less: pattern ^a, was undefined",
    ],
    [
      "a shorter text",
      { query: { q: { schema: { ...text, maxLength: 9 } } } },
      { query: { q: { schema: { ...text, maxLength: 8 } } } },
      "maxLength 8, was 9",
    ],
    [
      "another type taken",
      { query: { q: { schema: whole } } },
      { query: { q: { schema: text } } },
      "q no longer takes of type integer",
    ],
    [
      "a body's field newly required",
      { body: object({ a: text }) },
      { body: object({ a: text, b: text }) },
      "$.b is newly required",
    ],
    [
      "a body's field no longer taken",
      { body: object({ a: text, b: text }, ["b"]) },
      { body: object({ a: text }) },
      "$.b is no longer taken",
    ],
    ["a body newly needed", {}, { body: object({ a: text }) }, "the request newly needs a body"],
    [
      "an answer's field removed",
      { answer: object({ a: text, b: text }) },
      { answer: object({ a: text }) },
      "$.b is no longer always there",
    ],
    [
      "an optional one removed",
      { answer: object({ a: text, b: text }, ["b"]) },
      { answer: object({ a: text }) },
      "$.b is gone",
    ],
    [
      "an answer's field made optional",
      { answer: object({ a: text }) },
      { answer: object({ a: text }, ["a"]) },
      "$.a is no longer always there",
    ],
    [
      "an answer's enum widened",
      { answer: { enum: ["a"] } },
      { answer: { enum: ["a", "b"] } },
      '$ may now be "b"',
    ],
    ["an answer's words made free", { answer: { enum: ["a"] } }, { answer: text }, "$ may now be any string"],
    [
      "an answer that may be null",
      { answer: object({ a: text }) },
      { answer: object({ a: { anyOf: [text, { type: "null" }] } }) },
      "$.a may now be of type null",
    ],
    [
      "a number instead of a whole one",
      { answer: whole },
      { answer: { type: "number" } },
      "$ may now be of type number",
    ],
    [
      "a wider range answered",
      { answer: whole },
      { answer: { type: "integer", minimum: 0 } },
      "$ may be more: maximum undefined, was 9",
    ],
    [
      "deep in a list",
      { answer: { type: "array", items: object({ a: whole }) } },
      { answer: { type: "array", items: object({ a: text }) } },
      "$[].a may now be of type string",
    ],
    ["another status", { status: "200" }, { status: "202" }, "no longer has status 200"],
    ["another media type", { type: "text/csv" }, { type: "application/json" }, "text/csv is gone"],
  ])("with %s", (_, before, after, told) => {
    const breaks = breaksOf(before, after);
    expect(breaks.join("\n")).toContain(told);
    expect(breaks.every((line) => line.startsWith("GET /a: "))).toBe(true);
  });

  test("with a path or a method removed", () => {
    const api = apiOf({});
    expect(compareApis(api, { ...api, paths: {} })).toEqual(["GET /a is gone"]);
    expect(compareApis(api, { ...api, paths: { "/a": { post: api.paths["/a"]!.get! } } })).toEqual([
      "GET /a is gone",
    ]);
  });

  test("with a named form changed, wherever it is referred to", () => {
    const named = (form: Schema): OpenApi => ({
      ...apiOf({ answer: { $ref: "#/components/schemas/Form" } }),
      components: { schemas: { Form: form } },
    });
    expect(compareApis(named(object({ a: text })), named(object({ b: text })))).toEqual([
      "GET /a: 200 $.a is no longer always there",
    ]);
    // Put under a name, a form is the same.
    expect(compareApis(apiOf({ answer: object({ a: text }) }), named(object({ a: text })))).toEqual([]);
  });
});

describe("a change breaks nobody", () => {
  test.each<[string, Change, Change]>([
    ["nothing at all", { body: object({ a: whole }) }, { body: object({ a: whole }) }],
    ["an optional parameter added", {}, { query: { q: { schema: text } } }],
    [
      "a parameter made optional",
      { query: { q: { schema: text, required: true } } },
      { query: { q: { schema: text } } },
    ],
    [
      "a default newly told",
      { query: { q: { schema: whole } } },
      { query: { q: { schema: { ...whole, default: 3 } } } },
    ],
    [
      "a word more taken",
      { query: { q: { schema: { enum: ["a"] } } } },
      { query: { q: { schema: { enum: ["a", "b"] } } } },
    ],
    [
      "words taken as free text",
      { query: { q: { schema: { enum: ["a"] } } } },
      { query: { q: { schema: text } } },
    ],
    [
      "a wider range taken",
      { query: { q: { schema: whole } } },
      { query: { q: { schema: { type: "number" } } } },
    ],
    ["a body's optional field", { body: object({ a: text }) }, { body: object({ a: text, b: text }, ["b"]) }],
    [
      "null taken as well",
      { body: object({ a: text }) },
      { body: object({ a: { anyOf: [text, { type: "null" }] } }) },
    ],
    ["an answer's field added", { answer: object({ a: text }) }, { answer: object({ a: text, b: text }) }],
    ["an answer's word never given any more", { answer: { enum: ["a", "b"] } }, { answer: { enum: ["a"] } }],
    [
      "an answer's field always there",
      { answer: object({ a: text }, ["a"]) },
      { answer: object({ a: text }) },
    ],
    ["a whole number for a number", { answer: { type: "number" } }, { answer: whole }],
  ])("with %s", (_, before, after) => {
    expect(breaksOf(before, after)).toEqual([]);
  });

  test("with a path, a refusal or a media type added", () => {
    const api = apiOf({});
    const { get } = api.paths["/a"]!;
    const more = {
      ...api,
      paths: {
        "/a": {
          get: {
            ...get!,
            responses: {
              "200": { content: { ...get!.responses["200"]!.content, "text/csv": { schema: text } } },
              "404": {},
            },
          },
        },
        "/b": { get: get! },
      },
    };
    expect(compareApis(api, more)).toEqual([]);
  });
});
