/** The log: structured lines on standard error, so that standard output stays a command's own. */
import { type Logger, pino } from "pino";
import type { Log } from "./types.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ["json", "plain"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export type LogOptions = {
  readonly level: LogLevel;
  /** "plain" is one readable line an event; "json" one object a line, for collectors. */
  readonly format: LogFormat;
  /** Where lines go; standard error by default. */
  readonly write?: (line: string) => void;
};

/** A log whose level can be changed while the program runs; its children follow. */
export type LeveledLog = Log & {
  readonly level: () => LogLevel;
  readonly setLevel: (level: LogLevel) => void;
};

/** Creates the program's log. */
export function createLog(options: LogOptions): LeveledLog {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const destination = {
    write: options.format === "plain" ? (json: string) => write(formatPlain(json)) : write,
  };
  const logger = pino(
    {
      // The library gives a child the level of its moment for good, so what is said is decided here.
      level: "debug",
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const threshold = { level: options.level };
  return {
    ...wrap(logger, threshold),
    level: () => threshold.level,
    setLevel: (level) => {
      threshold.level = level;
    },
  };
}

/** A log that says nothing, for tests and embedded nodes. */
export function createSilentLog(): Log {
  const silent: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
  return silent;
}

function ignore(): void {}

function wrap(logger: Logger, threshold: { readonly level: LogLevel }): Log {
  const sayer =
    (level: Exclude<LogLevel, "silent">) =>
    (message: string, fields?: Record<string, unknown>): void => {
      if (isSaid(level, threshold.level)) logger[level](fields ?? {}, message);
    };
  return {
    debug: sayer("debug"),
    info: sayer("info"),
    warn: sayer("warn"),
    error: sayer("error"),
    child: (fields) => wrap(logger.child(fields), threshold),
  };
}

/** Whether a line of this level is written at that one. */
function isSaid(level: LogLevel, at: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(at);
}

/** `12:30:05.123 info  Message key=value`: what journals and terminals show well. Control characters stay escaped. */
function formatPlain(json: string): string {
  const { level, time, message, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const values = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`);
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(message)}`;
  return `${[head, ...values].join(" ")}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[\x21\x23-\x7e]+$/.test(value)) return value;
  return JSON.stringify(value);
}
