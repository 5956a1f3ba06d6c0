/** The suite of files of text in a real browser, inline and on lanes. */
import { textSuite } from '../flow/texts.suite.js'
import { lanesList } from './lanes.js'

textSuite(lanesList)
