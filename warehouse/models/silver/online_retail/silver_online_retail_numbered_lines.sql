with
lines as (select * from {{ ref('bronze_online_retail_lines') }}),

service_codes as (select * from {{ ref('bronze_online_retail_service_codes') }}),

numbered as (
    select
        lines.line_id,
        lines.invoice_id,
        lines.customer_id,
        lines.product_id,
        service_codes.service,
        lines.country,
        coalesce(lines.invoice_id like 'C%', false) as is_credit_note,
        lines.quantity,
        lines.unit_price,
        cast(row_number() over (
            partition by
                lines.invoice_id, lines.product_id, lines.description, lines.quantity,
                lines.invoiced_at, lines.stated_price, lines.customer_id, lines.country
            order by lines.line_id
        ) as bigint) as copy_number,
        lines.invoiced_at
    from lines
    left join service_codes on lines.product_id = service_codes.product_id
)

select * from numbered
