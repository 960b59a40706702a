/**
 * An order: as it comes in by HTTP, and as it travels through the topic.
 */
import { IsISO8601, IsInt, IsString, Length, Max, Min } from 'class-validator';

const QUANTITY = { message: 'quantity must be an integer from 1 to 1000' };

/** What a customer orders. Nothing is converted: a number is no text, a text no number. */
export class PlaceOrderDto {
  @Text(64) id!: string;
  @Text(100) customer!: string;
  @Text(100) item!: string;
  @IsInt(QUANTITY) @Min(1, QUANTITY) @Max(1000, QUANTITY) quantity!: number;
}

/** An order with the time it came in. */
export class PlacedOrderDto extends PlaceOrderDto {
  @IsISO8601() placedAt!: string;
}

/** What billing has made of an order. */
export class InvoiceDto {
  @IsString() orderId!: string;
  @IsString() number!: string;
  @IsInt() amountCents!: number;
}

/** The three ways to send. */
export const SendMode = { FORGET: 'forget', SYNC: 'sync', CALLBACK: 'callback' } as const;

/** One of the three ways to send. */
export type SendMode = (typeof SendMode)[keyof typeof SendMode];

/** A text that is not empty, and one message when it is not. */
function Text(max: number): PropertyDecorator {
  return Length(1, max, { message: `$property must be a text of 1 to ${max} characters` });
}
