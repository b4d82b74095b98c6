/** The validator sets that a validator knows: who has a seat about now, and what asking about it costs. */
import { expect, test } from "vitest";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { KnownSets } from "../../../validator/src/rounds/validatorSets.ts";
import { contextOf, createTestGenesis, keyNamed } from "./support/network.ts";

const { parameters } = contextOf(createTestGenesis(0));
/** One seat passes from hand to hand, another stays. */
const keyOf = (epoch: number) => keyNamed(`seat of ${epoch}`).publicKey;
const KEEPER = keyNamed("keeper").publicKey;

function openSets() {
  const asked = { sets: 0, keys: 0 };
  const ledger = {
    nextEpoch: 5,
    setOf: (epoch: number) => {
      asked.sets++;
      const set = createValidatorSet([KEEPER, keyOf(epoch)]);
      return {
        ...set,
        get keys() {
          asked.keys++;
          return set.keys;
        },
      };
    },
  };
  const sets = new KnownSets(parameters, {
    ledger,
    votes: { recordValidatorSet: () => {}, validatorSets: () => [] },
  });
  return { sets, ledger, asked };
}

test("who has a seat in one of four epochs is a member, once, and moves on with the epochs", () => {
  const { sets, ledger } = openSets();
  const memberEpochs = () => [2, 3, 4, 5, 6, 7, 8].filter((epoch) => sets.isMember(keyOf(epoch)));
  // The ledger knows no earlier set than the one before the running epoch's.
  expect(memberEpochs()).toEqual([4, 5, 6]);
  ledger.nextEpoch = 6;
  sets.update();
  expect(memberEpochs()).toEqual([4, 5, 6, 7]);
  ledger.nextEpoch = 7;
  sets.update();
  expect(memberEpochs()).toEqual([5, 6, 7, 8]);
  expect(sets.members()).toEqual([KEEPER, keyOf(7), keyOf(6), keyOf(5), keyOf(8)]);
  expect(sets.isMember(KEEPER)).toBe(true);
  expect(sets.isMember(KEEPER.subarray(1))).toBe(false);
});

test("watchers of a change see its members", () => {
  const { sets, ledger } = openSets();
  const seen: boolean[] = [];
  sets.onChange(() => seen.push(sets.isMember(keyOf(7))));
  ledger.nextEpoch = 6;
  sets.update();
  expect(seen).toEqual([true]);
});

test("no set is looked through for a connection that is asked about", () => {
  const { sets, asked } = openSets();
  const before = { ...asked };
  for (const key of [...sets.members(), keyOf(0)]) sets.isMember(key);
  expect(asked).toEqual(before);
});
