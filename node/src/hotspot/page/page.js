/** Puts the hotspot's status into the page, again and again. Texts go in as text only: radio is strangers' input. */
import {
  computeChart,
  describeBeacons,
  describeDuty,
  describeEarnings,
  describeExamination,
  describeForwarders,
  describePackets,
  describeSpool,
  describeSummary,
  describeValidators,
  formatAge,
  reportTone,
} from "./view.js";

const REFRESH_MS = 5_000;
const EXAMINATION_REFRESH_MS = 60_000;
const SVG = "http://www.w3.org/2000/svg";
const CHART_WIDTH = 300;
const CHART_HEIGHT = 80;
const BAR_GAP = 2;

function fill(id, ...children) {
  document.getElementById(id).replaceChildren(...children);
}

/** The problems' lines as they stand there. */
let problemsShown = "";

/** A live region is read out whenever it is filled: so only with other lines than it has. */
function fillProblems(lines, tone) {
  const text = [tone, ...lines].join("\n");
  if (text === problemsShown) return;
  problemsShown = text;
  fill("problems", ...lines.map((line) => make("p", line, tone)));
}

function make(tag, text, className = "") {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.textContent = text;
  return element;
}

function makeList(items, nothing) {
  if (items.length === 0) return make("p", nothing, "dim");
  const list = document.createElement("ul");
  for (const { text, tone } of items) list.append(make("li", text, tone));
  return list;
}

function makeChart({ bars, most }, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const step = CHART_WIDTH / bars.length;
  for (const [i, bar] of bars.entries()) {
    let y = CHART_HEIGHT - 1;
    for (const kind of ["beacon", "other", "refused"]) {
      const height = (bar[kind] / most) * (CHART_HEIGHT - 2);
      if (height === 0) continue;
      y -= height;
      svg.append(makeShape("rect", kind, { x: i * step, y, width: step - BAR_GAP, height }));
    }
  }
  const axisY = CHART_HEIGHT - 0.5;
  svg.append(makeShape("line", "axis", { x1: 0, x2: CHART_WIDTH, y1: axisY, y2: axisY }));
  return svg;
}

function makeShape(tag, className, attributes) {
  const shape = document.createElementNS(SVG, tag);
  shape.setAttribute("class", className);
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
  return shape;
}

function makeReports(reports, nowMs) {
  if (reports.length === 0) return make("p", "Nothing has been reported since the hotspot started.", "dim");
  const list = document.createElement("ul");
  list.className = "reports";
  for (const report of reports) {
    const row = document.createElement("li");
    row.append(make("span", formatAge(report.time, nowMs), "dim"), make("span", report.kind));
    row.append(make("span", report.words, reportTone(report)));
    list.append(row);
  }
  return list;
}

function makeMeters(bands) {
  const bars = describeDuty(bands).flatMap(({ label, used }) => {
    const meter = document.createElement("meter");
    meter.value = used;
    meter.high = 0.9;
    meter.setAttribute("aria-label", label);
    return [make("p", label), meter];
  });
  return bars.length === 0 ? [make("p", "This region sets no limit by the hour.", "dim")] : bars;
}

function showEarnings(earnings) {
  const { lines, tone, epochs } = describeEarnings(earnings);
  fill(
    "earnings",
    ...lines.map((line) => make("p", line, tone)),
    makeList(epochs, "No epoch has paid this hotspot yet."),
  );
}

function showExamination(examination, nowMs) {
  const { lines, findings } = describeExamination(examination, nowMs);
  fill("doctor", ...lines.map((line) => make("p", line, "dim")), makeList(findings, ""));
}

function show(status, packets, nowMs) {
  document.title = `${status.problems.length > 0 ? "! " : ""}${status.name}`;
  fill("name", status.name);
  fill("summary", describeSummary(status));
  if (status.problems.length > 0) fillProblems(status.problems, "problem");
  else fillProblems(["All is well."], "well");
  fill("beacon", ...describeBeacons(status, nowMs).map((line) => make("p", line)));
  const chart = computeChart(packets, nowMs);
  const heard = describePackets(packets, chart);
  fill("packets", make("p", heard), makeChart(chart, heard));
  fill("reports", makeReports(status.reports, nowMs));
  fill("duty", ...makeMeters(status.dutyCycle));
  fill("spool", ...describeSpool(status).map((line) => make("p", line)));
  fill("validators", makeList(describeValidators(status.validators), "No address is known."));
  fill("forwarders", makeList(describeForwarders(status.radio, nowMs), "None has spoken yet."));
}

async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  // By the hotspot's own clock, which its times are of.
  const nowMs = Date.parse(response.headers.get("date") ?? "") || Date.now();
  return { nowMs, json: await response.json() };
}

async function refresh() {
  try {
    const [status, packets] = await Promise.all([read("v1/status"), read("v1/packets")]);
    show(status.json, packets.json.packets, status.nowMs);
    fill("updated", `As of ${new Date(status.nowMs).toLocaleString()}.`);
    // A validator may take its time: nothing else waits for it.
    read("v1/earnings").then(
      ({ json }) => showEarnings(json.earnings),
      () => {},
    );
  } catch {
    fillProblems(["The hotspot does not answer; what is below is its last word."], "problem");
  }
  setTimeout(refresh, REFRESH_MS);
}

/** The doctor takes some seconds, and is asked anew by the hotspot every ten minutes at most. */
async function refreshExamination() {
  try {
    const { nowMs, json } = await read("v1/doctor");
    showExamination(json.examination, nowMs);
  } catch {
    // What is below stays the doctor's last word, with its age.
  }
  setTimeout(refreshExamination, EXAMINATION_REFRESH_MS);
}

fill("doctor", make("p", "The doctor is asked; that takes some seconds.", "dim"));
void refresh();
void refreshExamination();
