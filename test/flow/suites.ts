/** The flow suites of Node: flow.test.ts has them inline and on two lanes, more-lanes.test.ts on the other numbers. */
import { aggregateSuite } from './aggregates.suite.js'
import { badInputSuite } from './bad-input.suite.js'
import { budgetSuite } from './budget.suite.js'
import { cancelSuite } from './cancel.suite.js'
import { cleaningSuite } from './cleaning.suite.js'
import { engineSuite } from './engine.suite.js'
import { nodeEnv } from './env.node.js'
import { expressionSuite } from './expressions.suite.js'
import { verbSuite } from './verbs.suite.js'

export function flowSuites(lanesList: readonly number[]): void {
  const env = nodeEnv()
  verbSuite(lanesList, env)
  expressionSuite(lanesList, env)
  aggregateSuite(lanesList, env)
  cleaningSuite(lanesList, env)
  engineSuite(lanesList, env)
  cancelSuite(lanesList, env)
  badInputSuite(lanesList, env)
  budgetSuite(lanesList)
}
