/** Starts the explorer in its document. */
import { render } from "preact";
import "./styles/explorer.css";
import { App } from "./app.tsx";
import { startRouting } from "./routing/location.ts";
import { createAnnouncer } from "./ui/announce.ts";
import { startTheme } from "./ui/theme.ts";

startTheme();
createAnnouncer();
startRouting();
render(<App />, document.getElementById("app")!);
