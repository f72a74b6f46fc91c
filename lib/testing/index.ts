export { storeContract } from './store-contract.ts'
export type { ContractCheck, ContractPart, OpenedStore } from './store-contract.ts'
