/** Attackers without a radio, who live off what others send: gossip is public. And those who withhold secrets. */
import { firstRoundOfEpoch } from "../../protocol/src/network/parameters.ts";
import type { Attack } from "./attack.ts";
import { createAttacker, createHonest, nameAttacker } from "./population.ts";
import { type Conduct, LAB_PARAMETERS, type SentWitness } from "./runner.ts";

/** Copies that one attacker makes in an epoch: as much as an honest hotspot in a city reports. */
const COPIES = 20;

const withoutRadio: Attack["recruit"] = (places) =>
  places.map((asserted, i) => createAttacker(i, asserted, null));

/** Each attacker sends so many of the given reports as its own. */
function copyFrom(
  pick: (sent: readonly SentWitness[], epoch: number) => readonly SentWitness[],
): NonNullable<Conduct["copy"]> {
  return (sent, epoch, { members, random }) => {
    const heard = pick(sent, epoch);
    if (heard.length === 0) return [];
    return members.flatMap(({ side }, sender) => {
      if (side !== "attacker") return [];
      return Array.from({ length: COPIES }, () => {
        const { round, report } = heard[Math.floor(random() * heard.length)]!;
        return { sender, round, report };
      });
    });
  };
}

/** Remembers the epoch before. */
function createReplay(): NonNullable<Conduct["copy"]> {
  let before: readonly SentWitness[] = [];
  return copyFrom((sent, epoch) => {
    const replayed = before.map((report) => ({ ...report, round: firstRoundOfEpoch(LAB_PARAMETERS, epoch) }));
    before = sent;
    return replayed;
  });
}

export const GOSSIPERS: readonly Attack[] = [
  {
    name: "copycats",
    says: "Without a radio, they send others' witness reports of the same epoch as their own.",
    radios: () => 0,
    recruit: withoutRadio,
    conduct: { copy: copyFrom((sent) => sent) },
  },
  {
    name: "replayers",
    says: "Without a radio, they send reports of the epoch before again.",
    radios: () => 0,
    recruit: withoutRadio,
    conduct: () => ({ copy: createReplay() }),
  },
  {
    name: "early-revealers",
    says: "Every second one has a radio and tells its beacons' secrets at once, so that the others can prove to have heard them.",
    radios: (count) => Math.ceil(count / 2),
    recruit: (places) =>
      places.map((asserted, i) =>
        i % 2 === 0
          ? createHonest(nameAttacker(i), asserted, "accomplice")
          : createAttacker(i, asserted, null),
      ),
    conduct: (members) => {
      const deaf = members.flatMap(({ side }, index) => (side === "attacker" ? [index] : []));
      return {
        reveal: "early",
        // The secret is known to all, but a reveal that comes early is refused: only those who listen can use it.
        invent: (beacon, { members: all }) => {
          if (all[beacon.sender]!.side !== "accomplice") return [];
          const { freqHz, spreadingFactor, bandwidthHz, timeMs } = beacon.frame;
          const measurement = { rssiDeciDbm: -1_100, rssiKind: "signal" as const, snrCentiDb: 0 };
          return deaf.map((witness) => ({
            witness,
            measurement: { ...measurement, freqHz, spreadingFactor, bandwidthHz, timeMs },
          }));
        },
      };
    },
  },
  {
    name: "silent-beaconers",
    says: "Real hotspots that never tell their beacons' secrets, to rob their witnesses.",
    radios: (count) => count,
    recruit: (places) => places.map((site, i) => createHonest(nameAttacker(i), site, "attacker")),
    conduct: { reveal: "never" },
  },
];
