/**
 * The topics of the demo.
 */

/** Names of topics. */
export const Topic = {
  /** Orders as they were placed, by order id. */
  ORDERS: 'orders',
  /** One invoice per order that was billed, by order id. */
  INVOICES: 'invoices',
} as const;
