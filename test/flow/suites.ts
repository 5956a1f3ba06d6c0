/** The flow suites of Node: what flows give, and what becomes of jobs, in files of their own so that two threads have one each; more-lanes.test.ts has both. */
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
}

export function jobSuites(lanesList: readonly number[]): void {
  const env = nodeEnv()
  engineSuite(lanesList, env)
  cancelSuite(lanesList, env)
  badInputSuite(lanesList, env)
  budgetSuite(lanesList)
}
