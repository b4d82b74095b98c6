/**
 * Whether programs written against an older description of the API still work with a newer one. A request may become
 * wider and an answer narrower, and an answer may have new fields, which clients pass over; nothing else may change.
 */
import {
  type Content,
  type OpenApi,
  type Operation,
  type Parameter,
  resolve,
  type Schema,
} from "./openApi.ts";

/** What to do instead; said with every list of breaks. */
export const HOW_TO_VERSION =
  "Programs that use the API would break. Keep the old form: add a field, an optional parameter or a path beside it; where that cannot be, serve the new form under /v2 and leave /v1 as it is.";

/** Every incompatibility in words, none where there is none. */
export function compareApis(older: OpenApi, newer: OpenApi): string[] {
  return Object.entries(older.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, before]) => {
      const name = `${method.toUpperCase()} ${path}`;
      const after = newer.paths[path]?.[method];
      if (after === undefined) return [`${name} is gone`];
      return compareOperations(before, after, { older, newer }).map((text) => `${name}: ${text}`);
    }),
  );
}

type Apis = { readonly older: OpenApi; readonly newer: OpenApi };

function compareOperations(before: Operation, after: Operation, apis: Apis): string[] {
  return [
    ...compareParameters(before.parameters ?? [], after.parameters ?? [], apis),
    ...compareBodies(before, after, apis),
    ...compareAnswers(before, after, apis),
  ];
}

function compareParameters(before: readonly Parameter[], after: readonly Parameter[], apis: Apis): string[] {
  const same = (a: Parameter) => (b: Parameter) => a.in === b.in && a.name === b.name;
  const added = after
    .filter((one) => one.required === true && before.find(same(one))?.required !== true)
    .map(({ name }) => `the ${name} in the request is newly required`);
  const changed = before.flatMap((one) => {
    const now = after.find(same(one));
    if (now === undefined) return [`${one.name} in the request is no longer taken`];
    return [
      ...listOtherDefaults(one, now, apis),
      ...listGaps(one.schema, now.schema, one.name, requestWords(apis)),
    ];
  });
  return [...added, ...changed];
}

/** Whoever leaves a parameter out gets what the description said; that it newly says so changes nothing. */
function listOtherDefaults(before: Parameter, after: Parameter, { older, newer }: Apis): string[] {
  const [was, is] = [resolve(before.schema, older).default, resolve(after.schema, newer).default];
  if (was === undefined || was === is) return [];
  return [`${before.name} left out now means ${JSON.stringify(is)}, was ${JSON.stringify(was)}`];
}

function compareBodies(before: Operation, after: Operation, apis: Apis): string[] {
  const [had, has] = [before.requestBody?.content ?? {}, after.requestBody?.content ?? {}];
  const added = Object.keys(had).length === 0 && Object.keys(has).length > 0;
  return [
    ...(added ? ["the request newly needs a body"] : []),
    ...compareContent(had, has, requestWords(apis)),
  ];
}

function compareAnswers(before: Operation, after: Operation, apis: Apis): string[] {
  const isSuccess = (status: string) => status.startsWith("2");
  const added = Object.keys(after.responses)
    .filter((status) => isSuccess(status) && before.responses[status] === undefined)
    .map((status) => `an answer may now have status ${status}`);
  const changed = Object.entries(before.responses).flatMap(([status, { content = {} }]) => {
    const now = after.responses[status];
    // A refusal that is never given any more breaks nobody.
    if (now === undefined) return isSuccess(status) ? [`an answer no longer has status ${status}`] : [];
    return compareContent(content, now.content ?? {}, answerWords(apis)).map((text) => `${status} ${text}`);
  });
  return [...added, ...changed];
}

/** Forms by media type. Whatever was offered must still be; a new one may stand beside it. */
function compareContent(before: Content, after: Content, words: Words): string[] {
  return Object.entries(before).flatMap(([type, { schema }]) => {
    const now = after[type]?.schema;
    if (now === undefined) return [`${type} is gone`];
    return words.isAnswer ? listGaps(now, schema, "$", words) : listGaps(schema, now, "$", words);
  });
}

/** How a gap is told, and in which description a side's references lie. */
type Words = {
  /** Answers may have more fields than they had. */
  readonly isAnswer: boolean;
  readonly sub: OpenApi;
  readonly sup: OpenApi;
  readonly value: (text: string) => string;
  readonly required: string;
  readonly range: string;
};

const requestWords = ({ older, newer }: Apis): Words => ({
  isAnswer: false,
  ...{ sub: older, sup: newer },
  value: (text) => `no longer takes ${text}`,
  required: "is newly required",
  range: "takes less",
});

const answerWords = ({ older, newer }: Apis): Words => ({
  isAnswer: true,
  ...{ sub: newer, sup: older },
  value: (text) => `may now be ${text}`,
  required: "is no longer always there",
  range: "may be more",
});

/** What `sub` allows and `sup` does not: for a request the old form under the new one, for an answer the other way. */
function listGaps(subGiven: Schema, supGiven: Schema, at: string, words: Words): string[] {
  const [sub, sup] = [resolve(subGiven, words.sub), resolve(supGiven, words.sup)];
  const subBranches = branchesOf(sub);
  const supBranches = branchesOf(sup);
  if (subBranches.length > 1 || supBranches.length > 1) {
    return subBranches.flatMap((branch) => listBranchGaps(branch, supBranches, at, words));
  }
  return [
    ...listValueGaps(sub, sup, at, words),
    ...listRangeGaps(sub, sup, at, words),
    ...listFieldGaps(sub, sup, at, words),
    ...(sub.items !== undefined && sup.items !== undefined
      ? listGaps(sub.items, sup.items, `${at}[]`, words)
      : []),
  ];
}

const branchesOf = (schema: Schema): readonly Schema[] => schema.anyOf ?? [schema];

/** A branch must lie within one of the others; the nearest tells what is amiss. */
function listBranchGaps(branch: Schema, others: readonly Schema[], at: string, words: Words): string[] {
  const gaps = others.map((other) => listGaps(branch, other, at, words));
  if (gaps.some((list) => list.length === 0)) return [];
  const alike = gaps.filter(
    (_, index) => typeOf(resolve(others[index]!, words.sup)) === typeOf(resolve(branch, words.sub)),
  );
  const [nearest] = alike.toSorted((a, b) => a.length - b.length);
  return nearest ?? [`${at} ${words.value(describe(resolve(branch, words.sub)))}`];
}

const valuesOf = ({ enum: list, const: only }: Schema): readonly unknown[] | null =>
  list ?? (only === undefined ? null : [only]);
const typeOf = (schema: Schema): string => schema.type ?? typeof (valuesOf(schema)?.[0] ?? {});
const describe = (schema: Schema): string =>
  valuesOf(schema)
    ?.map((value) => JSON.stringify(value))
    .join(", ") ?? `of type ${typeOf(schema)}`;

function listValueGaps(sub: Schema, sup: Schema, at: string, words: Words): string[] {
  const [values, allowed] = [valuesOf(sub), valuesOf(sup)];
  const isNumber = typeOf(sub) === "integer" && typeOf(sup) === "number";
  if (typeOf(sub) !== typeOf(sup) && !isNumber) return [`${at} ${words.value(describe(sub))}`];
  if (allowed === null) return [];
  if (values === null) return [`${at} ${words.value(`any ${typeOf(sub)}`)}`];
  return values
    .filter((value) => !allowed.includes(value))
    .map((value) => `${at} ${words.value(JSON.stringify(value))}`);
}

const LEAST = ["minimum", "minLength", "minItems"] as const;
const MOST = ["maximum", "maxLength", "maxItems"] as const;

function listRangeGaps(sub: Schema, sup: Schema, at: string, words: Words): string[] {
  // Values from a list have neither range nor pattern.
  if (valuesOf(sub) !== null) return [];
  const tell = (field: keyof Schema) =>
    `${at} ${words.range}: ${field} ${words.isAnswer ? `${sub[field]}, was ${sup[field]}` : `${sup[field]}, was ${sub[field]}`}`;
  const low = LEAST.filter((field) => (sub[field] ?? -Infinity) < (sup[field] ?? -Infinity));
  const high = MOST.filter((field) => (sub[field] ?? Infinity) > (sup[field] ?? Infinity));
  const pattern = sup.pattern !== undefined && sub.pattern !== sup.pattern ? (["pattern"] as const) : [];
  return [...low, ...high, ...pattern].map(tell);
}

function listFieldGaps(sub: Schema, sup: Schema, at: string, words: Words): string[] {
  if (sub.type !== "object" || sup.type !== "object") return [];
  const [fields, known] = [sub.properties ?? {}, sup.properties ?? {}];
  const required = (sup.required ?? [])
    .filter((name) => !(sub.required ?? []).includes(name))
    .map((name) => `${at}.${name} ${words.required}`);
  const gone = words.isAnswer
    ? Object.keys(known)
        .filter((name) => fields[name] === undefined && !(sup.required ?? []).includes(name))
        .map((name) => `${at}.${name} is gone`)
    : Object.keys(fields)
        .filter((name) => known[name] === undefined && sup.additionalProperties === false)
        .map((name) => `${at}.${name} is no longer taken`);
  const changed = Object.entries(fields).flatMap(([name, field]) =>
    known[name] === undefined ? [] : listGaps(field, known[name], `${at}.${name}`, words),
  );
  const [record, other] = [sub.additionalProperties, sup.additionalProperties];
  const records =
    typeof record === "object" && typeof other === "object" ? listGaps(record, other, `${at}.*`, words) : [];
  return [...required, ...gone, ...changed, ...records];
}
