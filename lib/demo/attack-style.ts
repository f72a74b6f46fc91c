/** The pages of attacks. */
export const ATTACK_STYLE = `
.attacks { display: grid; gap: 0.875rem; }
.attacks li { display: grid; gap: 0.75rem; justify-items: start; }
.back { margin-bottom: -1rem; font-size: 0.9375rem; }
.back a { display: inline-flex; align-items: center; min-height: 2.75rem; }
.tag.good { color: var(--good); background: var(--good-soft); }
.tag.bad { color: var(--bad); background: var(--bad-soft); }
.steps { counter-reset: step; display: grid; gap: 0.5rem; }
.steps li { position: relative; padding-left: 2.5rem; counter-increment: step; }
.steps li::before {
  content: counter(step); position: absolute; left: 0; top: 0.625rem; width: 1.625rem; text-align: center;
  font: 600 0.8125rem/1.625rem var(--mono); color: var(--soft); border: 1px solid var(--line); border-radius: 99px;
}
.steps .note { padding-block: 0.625rem; color: var(--soft); }
.steps details { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.steps summary { min-height: 2.75rem; padding: 0.625rem 1rem; cursor: pointer; }
.steps .decisive details { border-color: var(--accent); border-width: 2px; }
.steps .decisive::before { color: var(--accent-ink); background: var(--accent); border-color: var(--accent); }
.steps h3, .steps details p { margin: 0 1rem; }
.steps details p { padding-bottom: 0.875rem; }
pre { margin: 0.25rem 1rem 0.875rem; padding: 0.625rem 0.75rem; border-radius: 6px; background: var(--ground); white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { font-size: 0.8125rem; }
figure { margin: 0; display: grid; gap: 0.375rem; min-width: 0; }
figcaption { font-size: 0.875rem; color: var(--soft); }
.code { padding: 0.75rem 0.75rem 0.75rem 3.25rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; list-style: decimal; }
.code li::marker { font: 0.75rem/1.5 var(--mono); color: var(--soft); }
.code li { padding-left: 0.375rem; }
.code .gap { margin-top: 0.5rem; padding-top: 0.5rem; border-top: 1px dashed var(--line); }
.code code { display: block; font-size: 0.8125rem; white-space: pre-wrap; }
.code mark { color: var(--good); background: var(--good-soft); border-radius: 3px; font-weight: 600; }
`
