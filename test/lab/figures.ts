/** What an attack came to: its run beside the run with as many honest hotspots at the same places. */
import type { Attack } from "./attack.ts";
import { type City, streamOf } from "./city.ts";
import { drawHonest, type Member, type Side, toCounterfactual } from "./population.ts";
import { type EpochOutcome, LAB_PARAMETERS, runNetwork } from "./runner.ts";

export type LabOptions = {
  readonly city: City;
  /** Honest hotspots; attackers are `attackersPpm` of all. */
  readonly size: number;
  readonly attackersPpm: number;
  readonly epochs: number;
  readonly seed: number;
};

/** Fewer attackers could not form a ring, nor would a share of them say anything. */
const ATTACKERS_MIN = 5;

/** What the gate allows, but for an attack with a figure of its own: the attackers' share over that of as many honest hotspots at the same places. */
export const GAIN_MAX = 1.2;

/** One attack's figures, over the last window of the run. Shares are of all that hotspots were paid, 0 to 1. */
export type AttackResult = {
  readonly name: string;
  readonly says: string;
  readonly attackers: number;
  readonly shareOfHotspots: number;
  readonly shareOfRewards: number;
  readonly counterfactualShare: number;
  /** `shareOfRewards` over `counterfactualShare`. */
  readonly gain: number;
  /** Of the attackers: found against or below the paying threshold when trust was last computed. */
  readonly caught: number;
  /** The first computation of trust that caught half of them, in days (a computation is a mainnet day); null: none. */
  readonly halfCaughtDay: number | null;
  /** Of the honest: paid less than half of what they had without the attack; and below the paying threshold, both runs. */
  readonly honestHalved: number;
  readonly honestUnpaid: number;
  readonly honestUnpaidWithout: number;
  /** Without the attack: by reason, the share of honest hotspots' days (computations of trust) on which they had it. */
  readonly honestFound: Readonly<Record<string, number>>;
  /** The rival's pay over what it has beside as many honest hotspots at the same places; null where there is none. */
  readonly rivalKeeps: number | null;
  readonly radios: number;
  /** Bonds and fees in tokens. */
  readonly costTokens: number;
  readonly uncatchable: string | null;
  /** `gain` may be so much. */
  readonly gainMax: number;
  /** By computation of trust: share of attackers caught, and their share of rewards, with and without the attack. */
  readonly course: readonly {
    readonly day: number;
    readonly caught: number;
    readonly share: number;
    readonly honestShare: number;
  }[];
};

/** Whether an attack takes no more than is allowed. */
export const isWithin = ({ gain, gainMax }: Pick<AttackResult, "gain" | "gainMax">): boolean =>
  gain <= gainMax;

/** Runs an attack on a city: who is in its network, and what came of every epoch. */
export function runAttack(
  attack: Attack,
  { city, size, seed, epochs, attackersPpm }: LabOptions,
): { members: readonly Member[]; outcomes: readonly EpochOutcome[] } {
  const count = Math.max(ATTACKERS_MIN, Math.round((size * attackersPpm) / (1_000_000 - attackersPpm)));
  const atPlaces = streamOf(seed, "attackers' places");
  const places = Array.from({ length: count }, () => city.draw(atPlaces));
  const recruits = attack.recruit(places, city, streamOf(seed, attack.name));
  const members = [...drawHonest(city, size, seed), ...recruits];
  const { conduct = {}, corruptSeedsPpm = 0 } = attack;
  const outcomes = runNetwork({
    ...{ seed, city, epochs, members, corruptSeedsPpm },
    conduct: typeof conduct === "function" ? conduct(members) : conduct,
  });
  return { members, outcomes };
}

/** Runs an attack and its counterfactual. */
export function measureAttack(attack: Attack, options: LabOptions): AttackResult {
  const { members, outcomes } = runAttack(attack, options);
  return compare(attack, members, outcomes, runHonest(members, options));
}

/** The honest runs so far: attacks that assert the same places have one in common. */
const honestRuns = new Map<string, readonly EpochOutcome[]>();

/** The same city with honest hotspots in the attackers' stead. */
function runHonest(members: readonly Member[], { city, seed, epochs }: LabOptions): readonly EpochOutcome[] {
  const honest = members.map(toCounterfactual);
  const places = honest.map(({ name, radio }) => [name, radio]);
  const key = JSON.stringify([city.name, seed, epochs, places]);
  const known = honestRuns.get(key);
  if (known !== undefined) return known;
  const outcomes = runNetwork({ seed, city, epochs, members: honest, conduct: {}, corruptSeedsPpm: 0 });
  honestRuns.set(key, outcomes);
  return outcomes;
}

function compare(
  attack: Attack,
  members: readonly Member[],
  attacked: readonly EpochOutcome[],
  without: readonly EpochOutcome[],
): AttackResult {
  const indexes = (side: Side): number[] =>
    members.flatMap((member, index) => (member.side === side ? [index] : []));
  const [attackers, honest, rivals] = [indexes("attacker"), indexes("honest"), indexes("rival")];
  const window = -LAB_PARAMETERS.trustWindowEpochs;
  const [pays, paysWithout] = [sumPaid(attacked.slice(window)), sumPaid(without.slice(window))];
  const [shareOfRewards, counterfactualShare] = [shareOf(pays, attackers), shareOf(paysWithout, attackers)];
  const course = readCourse(attackers, attacked, without);
  const rival = rivals.length === 1 ? rivals[0]! : null;
  const last = attacked.findLast(({ trust }) => trust !== null)?.trust ?? null;
  const lastWithout = without.findLast(({ trust }) => trust !== null)?.trust ?? null;
  const among = (list: readonly number[], isSo: (member: number) => boolean): number =>
    list.length === 0 ? 0 : list.filter(isSo).length / list.length;
  const { hotspotBond, assertFee } = LAB_PARAMETERS;
  return {
    name: attack.name,
    says: attack.says,
    attackers: attackers.length,
    shareOfHotspots: attackers.length / members.length,
    shareOfRewards,
    counterfactualShare,
    gain: counterfactualShare === 0 ? 0 : shareOfRewards / counterfactualShare,
    caught: course.at(-1)?.caught ?? 0,
    halfCaughtDay: course.find(({ caught }) => caught >= 0.5)?.day ?? null,
    // Everybody's pay moves with the pool; what counts is who lost more than half of its share.
    honestHalved: among(honest, (member) => 2 * ratio(pays, member) < ratio(paysWithout, member)),
    honestUnpaid: among(honest, (member) => last?.unpaid.has(member) ?? false),
    honestUnpaidWithout: among(honest, (member) => lastWithout?.unpaid.has(member) ?? false),
    honestFound: computeFoundShares(honest, without),
    rivalKeeps:
      rival === null || paysWithout[rival] === 0n ? null : Number(pays[rival]) / Number(paysWithout[rival]),
    radios: attack.radios(attackers.length),
    costTokens: (attackers.length * Number(hotspotBond + assertFee)) / 1e8,
    uncatchable: attack.uncatchable ?? null,
    gainMax: attack.gainMax ?? GAIN_MAX,
    course,
  };
}

function computeFoundShares(
  members: readonly number[],
  outcomes: readonly EpochOutcome[],
): Record<string, number> {
  const days = outcomes.flatMap(({ trust }) => trust ?? []);
  const shares = new Map<string, number>();
  for (const { found } of days) {
    for (const reason of members.flatMap((member) => found.get(member) ?? [])) {
      shares.set(reason, (shares.get(reason) ?? 0) + 1 / (members.length * days.length));
    }
  }
  return Object.fromEntries(shares);
}

function sumPaid(outcomes: readonly EpochOutcome[]): bigint[] {
  const sums = new Array<bigint>(outcomes[0]!.paid.length).fill(0n);
  for (const { paid } of outcomes) for (const [member, amount] of paid.entries()) sums[member]! += amount;
  return sums;
}

const total = (sums: readonly bigint[]): number => sums.reduce((sum, amount) => sum + Number(amount), 0);
const ratio = (sums: readonly bigint[], member: number): number => Number(sums[member]) / (total(sums) || 1);
const shareOf = (sums: readonly bigint[], members: readonly number[]): number =>
  members.reduce((sum, member) => sum + Number(sums[member]), 0) / (total(sums) || 1);

/** What happened between one computation of trust and the next. */
function readCourse(
  attackers: readonly number[],
  attacked: readonly EpochOutcome[],
  without: readonly EpochOutcome[],
): AttackResult["course"] {
  const { trustIntervalEpochs } = LAB_PARAMETERS;
  return attacked.flatMap(({ trust }, epoch) => {
    if (trust === null) return [];
    const span = [Math.max(0, epoch + 1 - trustIntervalEpochs), epoch + 1] as const;
    const isCaught = (member: number): boolean => trust.unpaid.has(member) || trust.found.has(member);
    return [
      {
        day: (epoch + 1) / trustIntervalEpochs,
        caught: attackers.filter(isCaught).length / Math.max(1, attackers.length),
        share: shareOf(sumPaid(attacked.slice(...span)), attackers),
        honestShare: shareOf(sumPaid(without.slice(...span)), attackers),
      },
    ];
  });
}
