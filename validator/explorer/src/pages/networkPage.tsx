/** Network */
import { Page } from "../ui/page.tsx";

export function NetworkPage() {
  return <Page title="Network">{null}</Page>;
}
