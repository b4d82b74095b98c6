/** A clock that stands until a test moves it, or sets it; due callbacks run in order of time as it passes them. */
import type { Clock } from "../../../../node/src/host/types.ts";

type Timer = { atMs: number; periodMs: number | null; callback: () => void };

export class ManualClock implements Clock {
  #nowMs: number;
  /** By how much it was set. */
  #setByMs = 0;
  #timers = new Set<Timer>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs = (): number => this.#nowMs + this.#setByMs;

  elapsedMs = (): number => this.#nowMs;

  after = (delayMs: number, callback: () => void): (() => void) => this.#add(delayMs, null, callback);

  every = (periodMs: number, callback: () => void): (() => void) => this.#add(periodMs, periodMs, callback);

  /** Jumps, as a machine does that slept: timers that fell due fire once, late. */
  jump(toMs: number): void {
    this.#nowMs = toMs;
    this.#fireDue();
  }

  /** Sets the wall clock, as NTP does, forwards or back: no time passes. */
  set(byMs: number): void {
    this.#setByMs += byMs;
  }

  /** Passes time step by step, so that every callback runs at its own time. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#fireDue();
    }
    this.#nowMs = endMs;
  }

  get timers(): number {
    return this.#timers.size;
  }

  #add(delayMs: number, periodMs: number | null, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, periodMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #fireDue(): void {
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.#nowMs || !this.#timers.has(timer)) continue;
      if (timer.periodMs === null) this.#timers.delete(timer);
      else timer.atMs += timer.periodMs;
      timer.callback();
    }
  }
}
