// Lays a run out as Markdown, for the terminal and for results.md; each suite says its own part.

/**
 * What a suite has to say.
 *
 * @typedef {object} Section
 * @property {string[]} text Markdown, a paragraph, a heading or a table each
 * @property {string[]} losses where a peer was faster or a target was missed
 * @property {string[]} problems whatever could not be measured, or was answered wrongly
 * @property {string[]} versions of what was measured beside the library
 * @property {boolean} measuresOurs whether Millrace was measured at all
 */

/**
 * @param {object} run
 * @param {ReturnType<typeof import('./machine.js').describeMachine>} run.machine
 * @param {string} run.command the options that this run was given
 * @param {Section[]} run.sections
 * @returns {string} Markdown
 */
export function report({ machine, command, sections }) {
  const versions = new Set(sections.flatMap(section => section.versions))
  const problems = sections.flatMap(section => section.problems)
  const list = lines => lines.map(line => `- ${line}`).join('\n')
  const parts = [
    '# Benchmark results',
    `Written by \`npm run bench -- ${command}\`. A ratio is *our time / the peer's time*: lower is better.`,
    `## Machine and versions\n${list([machine.processor, machine.memory, machine.system, machine.runtime, machine.library, ...versions])}`,
    ...sections.flatMap(section => section.text),
    '## Where we lose',
    lossSection(sections, problems.length > 0),
    ...(problems.length ? ['## Problems', list(problems)] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function lossSection(sections, hasProblems) {
  if (!sections.some(section => section.measuresOurs)) return 'Millrace was not measured.'
  const losses = sections.flatMap(section => section.losses)
  if (losses.length) return losses.map(loss => `- ${loss}`).join('\n')
  return hasProblems
    ? 'Not known: see the problems.'
    : 'Nowhere in what was measured: no peer was faster and no target was missed.'
}
