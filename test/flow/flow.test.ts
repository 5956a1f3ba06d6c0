/** The flow suites in Node, on 0 to 3 lanes; in a browser they are run by test/browser/flow.test.ts. */
import { aggregateSuite } from './aggregates.suite.js'
import { badInputSuite } from './bad-input.suite.js'
import { budgetSuite } from './budget.suite.js'
import { cancelSuite } from './cancel.suite.js'
import { cleaningSuite } from './cleaning.suite.js'
import { engineSuite } from './engine.suite.js'
import { nodeEnv } from './env.node.js'
import { expressionSuite } from './expressions.suite.js'
import { verbSuite } from './verbs.suite.js'

const env = nodeEnv()
const lanesList = [0, 1, 2, 3]

verbSuite(lanesList, env)
expressionSuite(lanesList, env)
aggregateSuite(lanesList, env)
cleaningSuite(lanesList, env)
engineSuite(lanesList, env)
cancelSuite(lanesList, env)
badInputSuite(lanesList, env)
budgetSuite(lanesList)
