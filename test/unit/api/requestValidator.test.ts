/** What requests are held against: the type provider's own compiler says the same, only more slowly. */
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import fc from "fast-check";
import { Type } from "typebox";
import { expect, test } from "vitest";
import { compileRequestValidator } from "../../../validator/src/api/requestValidator.ts";
import { EpochNumber, Format, KeyInput, Limit, object } from "../../../validator/src/api/schemas/common.ts";

const Query = object({
  owner: Type.Optional(KeyInput),
  format: Type.Optional(Format),
  limit: Type.Optional(Limit),
  epoch: EpochNumber,
  west: Type.Optional(Type.Number({ minimum: -180 })),
  live: Type.Optional(Type.Boolean()),
});

test("requests are read as the type provider's compiler reads them", () => {
  const words = [
    "7",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    " 3",
    "",
    "true",
    "null",
    "NaN",
    "csv",
    "99999999999999999999",
  ];
  const word = fc.oneof(fc.constantFrom(...words), fc.string());
  const value = fc.oneof(
    { weight: 8, arbitrary: word },
    { weight: 1, arbitrary: fc.array(word, { maxLength: 2 }) },
  );
  const names = [...Object.keys(Query.properties), "unknown"];
  const query = fc.dictionary(fc.constantFrom(...names), value);
  const route = { schema: Query, method: "GET", url: "/", httpPart: "querystring" };
  const [own, theirs] = [compileRequestValidator(route), TypeBoxValidatorCompiler(route)];
  fc.assert(
    fc.property(query, (given) => {
      const [a, b] = [own({ ...given }), theirs({ ...given })] as { value?: unknown; error?: unknown }[];
      expect(a).toEqual(b);
    }),
  );
});
