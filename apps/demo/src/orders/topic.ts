/**
 * The topics of the demo, and the name of the listener that others look for.
 */

/** Names of topics. */
export const Topic = {
  /** Orders as they were placed, by order id. */
  ORDERS: 'orders',
  /** One invoice per order that was billed, by order id. */
  INVOICES: 'invoices',
} as const;

/** The listener that feeds the view. */
export const VIEW_LISTENER = 'view';
