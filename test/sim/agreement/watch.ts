/**
 * What must hold after every event, watched from outside by rules of its own: it shares nothing with the core that it
 * watches, so a mistake there cannot excuse itself here.
 */
import type {
  Certificate,
  Conflict,
  JournalRecord,
  SignedVote,
  SimplexState,
  Statement,
} from "../../../protocol/src/agreement/simplex/index.ts";

export const VIOLATIONS = [
  "disagreement",
  "two_certificates",
  "invalid_value",
  "honest_double_sign",
  "honest_accused",
  "false_evidence",
  "unbounded",
  "undecided",
  "lost_its_past",
  "voted_on",
  "not_durable",
  "threw",
] as const;
export type Violation = (typeof VIOLATIONS)[number];

/** As B8 has it: messages of views up to 16 above the current one are kept. */
const WINDOW = 16;

export class Watch {
  readonly #isHonest: (validator: number) => boolean;
  /** By validator and view: what an honest validator let out. */
  readonly #said = new Map<number, Statement[]>();
  readonly #notarized = new Map<number, string>();
  readonly #nullified = new Set<number>();
  readonly #finalized = new Map<number, string>();
  decided: string | null = null;
  violation: Violation | null = null;
  detail = "";

  constructor(isHonest: (validator: number) => boolean) {
    this.#isHonest = isHonest;
  }

  report(violation: Violation, detail: string): void {
    if (this.violation !== null) return;
    this.violation = violation;
    this.detail = detail;
  }

  /** An honest validator's statement leaves it. Repetitions are free. */
  onSaid(validator: number, statement: Statement): void {
    const key = validator * 65_536 + statement.view;
    const said = this.#said.get(key);
    if (said === undefined) {
      this.#said.set(key, [statement]);
      return;
    }
    if (said.some((before) => isSame(before, statement))) return;
    const broken = said.find((before) => !maySay(before, statement));
    if (broken !== undefined) {
      this.report(
        "honest_double_sign",
        `validator ${validator} in view ${statement.view}: ${broken.kind} ${broken.value}, then ${statement.kind} ${statement.value}`,
      );
    }
    said.push(statement);
  }

  /** An honest validator holds a certificate as true. */
  onCertificate({ kind, view, value }: Certificate): void {
    if (kind === "nullify") this.#nullified.add(view);
    else {
      const book = kind === "notarize" ? this.#notarized : this.#finalized;
      const other = book.get(view);
      if (other !== undefined && other !== value) {
        this.report("two_certificates", `view ${view}: ${kind} of ${other} and of ${value}`);
      }
      book.set(view, value!);
    }
    if (this.#nullified.has(view) && this.#finalized.has(view)) {
      this.report("two_certificates", `view ${view} is nullified and finalized`);
    }
  }

  /** An honest validator writes a vote into its journal behind these records. */
  onVoted(vote: SignedVote, journal: readonly JournalRecord[]): void {
    if (vote.kind !== "notarize") return;
    if (!journal.some((record) => record.type === "value" && record.value === vote.value)) {
      this.report(
        "not_durable",
        `validator ${vote.validator} notarized ${vote.value} and has not written it`,
      );
    }
    const nullified = journal.some(
      (record) => record.type === "vote" && record.vote.kind === "nullify" && record.vote.view === vote.view,
    );
    if (nullified)
      this.report("honest_double_sign", `validator ${vote.validator} notarized what it had nullified`);
  }

  /** An honest validator acts on its decision; `journal` is what would survive a crash now. */
  onDecision(validator: number, value: string, isValid: boolean, journal: readonly JournalRecord[]): void {
    const isFinal = (record: JournalRecord) =>
      record.type === "certificate" && record.certificate.kind === "finalize";
    if (!journal.some(isFinal)) {
      this.report("not_durable", `validator ${validator} decided ${value} and could forget it`);
    }
    if (!isValid) this.report("invalid_value", `validator ${validator} decided ${value}`);
    if (this.decided !== null && this.decided !== value) {
      this.report("disagreement", `${this.decided}, and ${value} by validator ${validator}`);
    }
    this.decided ??= value;
  }

  onEvidence({ validator, first, second, reason }: Conflict): void {
    if (this.#isHonest(validator)) this.report("honest_accused", `validator ${validator} of ${reason}`);
    if (first.validator !== second.validator || first.view !== second.view || isSame(first, second)) {
      this.report("false_evidence", reason);
    }
  }

  /** Memory depends on the views that a quorum has passed, never on what was sent. */
  onState(state: SimplexState): void {
    const { view, views, judged, config, convicted } = state;
    if (
      views.length > view + WINDOW + 1 ||
      judged.size > views.length + 1 ||
      convicted.size > config.validators
    ) {
      this.report("unbounded", `${views.length} views and ${judged.size} values kept in view ${view}`);
    }
  }
}

function isSame(a: Statement, b: Statement): boolean {
  return (
    a.kind === b.kind &&
    a.value === b.value &&
    (a.kind !== "propose" || b.kind !== "propose" || a.parent === b.parent)
  );
}

/**
 * Whether an honest validator may say both in one view, in either order: what was voted before a crash may be sent
 * after it. B2's own order, no NOTARIZE once NULLIFY is voted, is watched in the journal instead.
 */
function maySay(before: Statement, next: Statement): boolean {
  if (before.kind === next.kind) return false;
  if (before.kind === "propose" || next.kind === "propose") return true;
  const finalize = before.kind === "finalize" ? before : next;
  const other = before.kind === "finalize" ? next : before;
  return finalize.kind !== "finalize" || (other.kind === "notarize" && other.value === finalize.value);
}
