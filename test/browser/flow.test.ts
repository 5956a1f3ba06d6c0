/** The flow suites of test/flow in a real browser, inline and on lanes; on which kind of page is the project's choice (page.test.ts). */
import { aggregateSuite } from '../flow/aggregates.suite.js'
import { badInputSuite } from '../flow/bad-input.suite.js'
import { budgetSuite } from '../flow/budget.suite.js'
import { cancelSuite } from '../flow/cancel.suite.js'
import { cleaningSuite } from '../flow/cleaning.suite.js'
import { engineSuite } from '../flow/engine.suite.js'
import { webEnv } from '../flow/env.web.js'
import { expressionSuite } from '../flow/expressions.suite.js'
import { feedSuite } from '../flow/feeds.suite.js'
import { functionSuite } from '../flow/functions.suite.js'
import { inputSuite } from '../flow/inputs.suite.js'
import { joinSuite } from '../flow/joins.suite.js'
import { listSuite } from '../flow/lists.suite.js'
import { liveSuite } from '../flow/live.suite.js'
import { liveJoinSuite } from '../flow/live-joins.suite.js'
import { liveOverSuite } from '../flow/live-over.suite.js'
import { ownKernelsSuite } from '../flow/own-kernels.suite.js'
import { streamSuite } from '../flow/streams.suite.js'
import { userCodeSuite } from '../flow/user-code.suite.js'
import { verbSuite } from '../flow/verbs.suite.js'
import { windowRowsSuite } from '../flow/window-rows.suite.js'
import { fewLanes, lanesList, runningLanes } from './lanes.js'

const env = webEnv()

verbSuite(lanesList, env)
expressionSuite(lanesList, env)
aggregateSuite(lanesList, env)
cleaningSuite(lanesList, env)
engineSuite(lanesList, env)
cancelSuite(lanesList, env)
badInputSuite(lanesList, env)
budgetSuite(lanesList)
functionSuite(lanesList, env)
joinSuite(fewLanes)
listSuite(lanesList, env)
streamSuite(lanesList)
feedSuite(runningLanes)
liveSuite(runningLanes)
windowRowsSuite(runningLanes)
inputSuite(fewLanes)
liveJoinSuite(runningLanes)
liveOverSuite(runningLanes)
userCodeSuite(fewLanes, env)
ownKernelsSuite(fewLanes)
