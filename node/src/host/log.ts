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

/** Creates the program's log. */
export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const destination = {
    write: options.format === "plain" ? (json: string) => write(formatPlain(json)) : write,
  };
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return wrap(logger);
}

/** A log that says nothing, for tests and embedded nodes. */
export function createSilentLog(): Log {
  const silent: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
  return silent;
}

function ignore(): void {}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
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
