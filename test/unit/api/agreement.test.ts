/** What the API says of agreement: certificates as anyone can verify them, seats, rounds by number. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  checkRewardCert,
  decodeRewardCert,
  encodeAttest,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import { assembleSignatures, createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { decodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "../validator/support/network.ts";
import { createFixture, type Fixture } from "./apiFixture.ts";

const context = contextOf(createTestGenesis(0));
const validators = [0, 1, 2, 3].map((index) => keyNamed(`validator ${index}`));
const set = createValidatorSet(validators.map(({ publicKey }) => publicKey));
const hash = (fill: number) => new Uint8Array(32).fill(fill);
const attest = {
  epoch: 2,
  rewardRoot: hash(1),
  stateRoot: hash(2),
  nextValidatorsHash: hash(3),
  parametersHash: hash(4),
  rulesVersion: RULES_VERSION,
};
const signatures = new Map(
  [0, 2, 3].map((seat) => [seat, signBody(context, validators[seat]!, "attest", encodeAttest(attest))]),
);
const cert = { attest, ...assembleSignatures(signatures, set) };

describe("agreement over HTTP", () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await createFixture(
      {},
      {
        agreement: {
          rewardCert: (epoch) => (epoch === 2 ? cert : null),
          quorum: set.quorum,
          seats: () =>
            set.keys.map((key, seat) => ({
              key,
              stake: 7n,
              multiaddrs: [`/ip4/127.0.0.1/tcp/${seat}`],
              connected: seat === 0 ? null : seat !== 3,
            })),
        },
      },
    );
  });
  afterAll(() => fixture.api.close());

  test("gives an epoch's certificate with all that verifies it", async () => {
    const answer = (await fixture.get("/v1/epochs/2/certificate")).json();
    expect(answer.attest).toMatchObject({ epoch: 2, rewardRoot: encodeHex0x(hash(1)) });
    expect(answer.signers).toEqual([0, 2, 3].map((seat) => encodeDidKey(set.keys[seat]!)));
    const decoded = decodeRewardCert(decodeHex(answer.bytes.certificate.slice(2))!)!;
    expect(checkRewardCert(decoded, set, context.domains, verifySignature)).toBeNull();
    expect(answer.bytes.attest).toBe(encodeHex0x(encodeAttest(attest)));
    expect((await fixture.get("/v1/epochs/3/certificate")).statusCode).toBe(404);
    expect((await fixture.get("/v1/epochs/latest/certificate")).statusCode).toBe(400);
  });

  test("lists the seats, with who is connected", async () => {
    const { quorum, items } = (await fixture.get("/v1/validators")).json();
    expect(quorum).toBe(3);
    expect(items.map((item: { connected: boolean | null }) => item.connected)).toEqual([
      null,
      true,
      true,
      false,
    ]);
    expect(items[1]).toMatchObject({ seat: 1, id: encodeDidKey(set.keys[1]!), stake: "7" });
  });

  test("gives a round by its number", async () => {
    const latest = (await fixture.get("/v1/rounds/latest")).json();
    const answer = (await fixture.get(`/v1/rounds/${latest.round}`)).json();
    expect(answer).toEqual(latest);
    expect((await fixture.get("/v1/rounds/999999")).statusCode).toBe(404);
    expect((await fixture.get("/v1/rounds/1e3")).statusCode).toBe(400);
  });
});
