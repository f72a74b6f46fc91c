import { ATTACK_STYLE } from './attack-style.ts'

/**
 * The frame, the forms and the pages of the bank. Text keeps a contrast of 4.5:1 (WCAG 2.2, 1.4.3), edges of controls
 * 3:1 (1.4.11).
 */
const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f3ee; --surface: #ffffff; --ink: #1c2b30; --soft: #55666c; --line: #dcdcd3; --edge: #7f8c8f;
  --accent: #0d5c63; --accent-ink: #ffffff; --accent-soft: #e2efee;
  --good: #1d6b40; --good-soft: #e4f2e8; --bad: #a3272b; --bad-soft: #fbe9e7;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #11191c; --surface: #1a2529; --ink: #e5edee; --soft: #a3b3b7; --line: #2d3b40; --edge: #7b8b90;
    --accent: #82cfd0; --accent-ink: #0c2226; --accent-soft: #1e3539;
    --good: #8fd6a8; --good-soft: #18332a; --bad: #f2a39c; --bad-soft: #3b2224;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h2 { font-size: 1.125rem; line-height: 1.3; }
h3 { font-size: 0.9375rem; }
a { color: var(--accent); text-underline-offset: 0.2em; }
code { font: 0.875em/1.5 var(--mono); overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
main:focus-visible { outline: none; }
.muted { color: var(--soft); font-size: 0.875rem; }
.away.away, .skip:not(:focus) {
  position: absolute; width: 1px; height: 1px; min-height: 0; padding: 0; border: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
.skip:focus { position: absolute; left: 1rem; top: 0.5rem; padding: 0.5rem 1rem; background: var(--surface); z-index: 1; }

header { background: var(--surface); border-bottom: 1px solid var(--line); }
.bar, .columns, footer p { width: 100%; max-width: 66rem; margin: 0 auto; padding-inline: clamp(1rem, 4vw, 2rem); }
.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.25rem 1.5rem; padding-block: 0.75rem; }
.brand { display: inline-flex; align-items: center; min-height: 2.75rem; font-weight: 650; font-size: 1.125rem; letter-spacing: -0.01em; color: var(--ink); text-decoration: none; }
.brand::before { content: ""; width: 1.125rem; height: 1.125rem; margin-right: 0.625rem; border-radius: 5px 5px 50% 50%; background: var(--accent); }
nav { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1.25rem; }
nav a { display: inline-flex; align-items: center; min-height: 2.75rem; color: var(--ink); text-decoration: none; border-block: 2px solid transparent; }
nav a:hover { color: var(--accent); }
nav a[aria-current] { border-bottom-color: var(--accent); font-weight: 600; }

@media (max-width: 30rem) {
  nav { width: 100%; gap: 0.25rem 0.75rem; font-size: 0.9375rem; }
  nav form { margin-left: auto; }
  nav button.quiet { padding-inline: 0.75rem; font-size: inherit; }
}

.columns { flex: 1; display: grid; gap: 2.5rem; align-items: start; padding-block: clamp(1.5rem, 5vw, 3rem); }
main { display: grid; gap: 1.5rem; min-width: 0; }
main > section { display: grid; gap: 0.875rem; margin-top: 0.75rem; min-width: 0; }
@media (min-width: 60rem) { .columns { grid-template-columns: minmax(0, 1fr) 21rem; gap: 3.5rem; } }
.card, .panel, .balance { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; }
.card { padding: clamp(1rem, 4vw, 1.5rem); }

form.card { display: grid; gap: 1.125rem; justify-items: start; }
.field { display: grid; gap: 0.375rem; width: 100%; min-width: 0; }
.row { display: grid; gap: 1.125rem; width: 100%; }
@media (min-width: 34rem) { .row { grid-template-columns: 1fr 1fr; } }
label { font-weight: 600; font-size: 0.9375rem; }
label .muted { font-weight: 400; }
input:not([type="checkbox"]), select {
  width: 100%; min-height: 2.875rem; padding: 0.5rem 0.75rem; font: inherit; color: inherit;
  background: var(--surface); border: 1px solid var(--edge); border-radius: 8px;
}
input::placeholder { color: var(--soft); opacity: 1; }
input[aria-invalid] { border-color: var(--bad); border-width: 2px; }
.check { display: flex; align-items: center; gap: 0.625rem; min-height: 2.75rem; }
.check label { font-weight: 400; }
.check input { width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent); }
button {
  min-height: 2.875rem; padding: 0.5rem 1.375rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--accent-ink); background: var(--accent); border: 1px solid var(--accent); border-radius: 8px;
}
button:hover { filter: brightness(1.12); }
button.quiet { color: var(--accent); background: transparent; border-color: var(--edge); padding-inline: 1rem; min-height: 2.75rem; }
button.quiet:hover { background: var(--accent-soft); filter: none; }
button.danger { color: var(--bad); background: transparent; border-color: currentColor; }
button.danger:hover { background: var(--bad-soft); filter: none; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 1rem 1.5rem; }
.message { padding: 0.75rem 1rem; border-radius: 8px; border-left: 4px solid currentColor; }
.message.good { color: var(--good); background: var(--good-soft); }
.message.bad { color: var(--bad); background: var(--bad-soft); }

table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-size: 0.875rem; font-weight: 600; color: var(--soft); }
th, td { padding: 0.5rem 1rem 0.5rem 0; border-bottom: 1px solid var(--line); }
.balance { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0.25rem 1rem; padding: 1.125rem clamp(1rem, 4vw, 1.5rem); }
.balance span { color: var(--soft); }
.balance strong { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.transfers li { display: grid; grid-template-columns: 4rem minmax(0, 1fr) auto; gap: 0.5rem; padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
.transfers time { color: var(--soft); font-size: 0.875rem; line-height: 1.75; }
.transfers .what { overflow-wrap: anywhere; }
.transfers .amount { font-variant-numeric: tabular-nums; white-space: nowrap; }
.transfers .in { color: var(--good); }
.devices { display: grid; gap: 0.875rem; }
.devices li { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.875rem 1.5rem; }
.devices li > div { display: grid; gap: 0.25rem; flex: 1 1 16rem; min-width: 0; overflow-wrap: anywhere; }
.devices li.this { border-color: var(--accent); }
.tag { display: inline-block; margin-left: 0.25rem; padding: 0.0625rem 0.5rem; border-radius: 99px; font-size: 0.75rem; font-weight: 600; color: var(--accent); background: var(--accent-soft); vertical-align: 0.1em; }
.status { margin-bottom: -1rem; font: 600 0.9375rem/1 var(--mono); color: var(--soft); }

.panel { font-size: 0.9375rem; min-width: 0; }
.panel summary { min-height: 2.75rem; padding: 0.6875rem 1rem; font-size: 0.875rem; cursor: pointer; }
.facts { display: grid; gap: 1rem; padding: clamp(1rem, 4vw, 1.375rem); min-width: 0; }
.panel h2 { font-size: 1rem; }
.panel dl { display: grid; gap: 0.125rem; }
.panel dt { margin-top: 0.75rem; font-size: 0.8125rem; color: var(--soft); }
.panel dl dt:first-child { margin-top: 0; }
.panel dd { min-width: 0; }
.panel dd p { margin-top: 0.25rem; font-size: 0.875rem; color: var(--soft); }
.panel form button { width: 100%; }
/* On a phone the panel is one line at the top of the page, until it is opened. */
@media (max-width: 59.99rem) {
  .panel { order: -1; margin-bottom: -1rem; }
  .panel details[open] summary { border-bottom: 1px solid var(--line); }
  .panel .facts h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
}
/* On a wide screen there is room: the panel is always open. */
@media (min-width: 60rem) {
  @supports selector(::details-content) {
    .panel summary { display: none; }
    .panel details::details-content { content-visibility: visible; }
  }
}
.print { padding: 0.0625rem 0.375rem; border-radius: 4px; font: 600 0.8125rem/1.5 var(--mono); white-space: nowrap; color: var(--accent); background: var(--accent-soft); }
.secrets { display: grid; gap: 0.25rem; margin-top: 0.25rem; font-size: 0.875rem; }
.secrets li { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.125rem 0.5rem; }
.secrets .old { color: var(--soft); }
.secrets .old .print { color: var(--soft); background: transparent; border: 1px solid var(--line); text-decoration: line-through; }
.journal b { font-weight: 600; }
.journal { display: grid; gap: 0.5rem; font-size: 0.875rem; }
.journal li { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: 0.5rem; }
.journal time { color: var(--soft); font-variant-numeric: tabular-nums; }
.effects { display: grid; gap: 0.75rem; }
.effects li { display: grid; gap: 0.25rem; color: var(--soft); }
.effects h2 { font-size: 1rem; }
.effects .passed { color: inherit; border-color: var(--accent); }
footer { padding: 1.5rem 0 2rem; font-size: 0.875rem; color: var(--soft); }
`

/** The bank's only style sheet. */
export const STYLE: string = PAGE_STYLE + ATTACK_STYLE

/** The mark of the bank, for the browser's tab. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M4 6a3 3 0 0 1 3-3h18a3 3 0 0 1 3 3v9a12 13 0 0 1-24 0z" fill="#0d5c63"/></svg>`
