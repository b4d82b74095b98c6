/**
 * What drives a round's instance and what it asks for: the whole interface between the pure core and the shell that
 * owns the clock, the disk and the streams.
 */
import type { DropEffect } from "../drops.ts";
import type { Conflict } from "./conflicts.ts";
import type { Certificate, Message, Proposal, SignedVote, ValueId } from "./messages.ts";

/** `from` is the position of the validator on whose authenticated stream the message came, not its author. */
export type Event =
  /** B0 is satisfied: begin, or go on after `recoverSimplex`. */
  | { readonly type: "start" }
  /** The answer to `buildValue`: a fresh valid value of this round, which the shell holds. */
  | { readonly type: "propose"; readonly value: ValueId }
  /** The answer to `requestValue`: the value is here, and was judged by the rules of values. */
  | { readonly type: "valueAvailable"; readonly value: ValueId; readonly valid: boolean }
  | { readonly type: "vote"; readonly from: number; readonly vote: SignedVote }
  | { readonly type: "proposal"; readonly from: number; readonly proposal: Proposal }
  | { readonly type: "certificate"; readonly from: number; readonly certificate: Certificate }
  /** The timer of `setViewTimer` fired. */
  | { readonly type: "timeout"; readonly view: number }
  /** The timer of `setStandstillTimer` fired. */
  | { readonly type: "standstill" };

/**
 * What must survive a crash. Records are a journal: durable in the order in which they were asked for, so what a crash
 * leaves is a beginning of it. `recoverSimplex` reads them back.
 */
export type JournalRecord =
  | { readonly type: "vote"; readonly vote: SignedVote }
  | { readonly type: "proposal"; readonly proposal: Proposal }
  | { readonly type: "certificate"; readonly certificate: Certificate }
  /** The value's bytes, which the shell holds under this name. */
  | { readonly type: "value"; readonly value: ValueId };

/**
 * The shell carries effects out in order, and **sends nothing, and acts on no decision, before every `persist` ahead of
 * it is durable**: a certificate, and so a decision, may rest on the validator's own vote. One that was forgotten in a
 * crash could be followed by another, and what was decided with it by another decision.
 */
export type Effect =
  | { readonly type: "persist"; readonly record: JournalRecord }
  /** To every other validator of the round. */
  | { readonly type: "broadcast"; readonly message: Message }
  | { readonly type: "send"; readonly to: number; readonly message: Message }
  /** Replaces the timer of the view before. */
  | { readonly type: "setViewTimer"; readonly view: number; readonly delayMs: number }
  | { readonly type: "setStandstillTimer"; readonly delayMs: number }
  /** Build a fresh value from Tips, and answer with `propose`, as soon as there are enough of them. */
  | { readonly type: "buildValue"; readonly view: number }
  /** Fetch this value where it is missing, judge it, and answer with `valueAvailable`. Asked again until answered. */
  | { readonly type: "requestValue"; readonly value: ValueId }
  /** The round is decided; both timers may stop. Emitted once in a process's life. */
  | { readonly type: "decide"; readonly certificate: Certificate }
  /** A validator signed two statements that no honest one can sign both. Emitted once a validator. */
  | { readonly type: "evidence"; readonly conflict: Conflict }
  /** The message that the event brought, or a certificate that came with it, has no effect. */
  | DropEffect;
