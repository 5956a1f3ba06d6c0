// What dictionaries of strings are made with.

export * from '../abi'
export * from '../rank'
export {
  textCompareColumns,
  textEnter,
  textFind,
  textFound,
  textHashes,
  textIntern,
  textLookup,
  textMatch,
  textRehash,
  textSame,
} from '../text'
