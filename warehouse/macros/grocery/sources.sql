{# The chosen source's relation of the shared shape: lines, catalog, shoppers or shops. #}
{% macro grocery_source(things) -%}
    {%- set source = var('grocery_source') -%}
    {%- if source not in ['complete_journey', 'sort_of_real'] -%}
        {{ exceptions.raise_compiler_error(
            "var grocery_source is '" ~ source ~ "'; it can be complete_journey or sort_of_real"
        ) }}
    {%- endif -%}
    {{ return(ref('bronze_grocery_' ~ source ~ '_' ~ things)) }}
{%- endmacro %}

{% macro sort_of_real_files(patterns, columns) -%}
    {%- set folder = raw_folder('sort_of_real_dir', 'raw_dir') -%}
    {%- if not var('sort_of_real_dir', '') -%}
        {%- set folder = folder ~ '/grocery' -%}
    {%- endif -%}
    {{- csv_files(
        folder, patterns, columns,
        'python scripts/fetch_data.py grocery --source sort_of_real --from DIR'
    ) -}}
{%- endmacro %}

{% macro sort_of_real_transaction_columns() -%}
    {{ return([
        'SHOP_WEEK', 'SHOP_DATE', 'SHOP_WEEKDAY', 'SHOP_HOUR', 'QUANTITY', 'SPEND', 'PROD_CODE',
        'PROD_CODE_10', 'PROD_CODE_20', 'PROD_CODE_30', 'PROD_CODE_40', 'CUST_CODE',
        'CUST_PRICE_SENSITIVITY', 'CUST_LIFESTAGE', 'BASKET_ID', 'BASKET_SIZE',
        'BASKET_PRICE_SENSITIVITY', 'BASKET_TYPE', 'BASKET_DOMINANT_MISSION', 'STORE_CODE',
        'STORE_FORMAT', 'STORE_REGION',
    ]) }}
{%- endmacro %}

{# A condition that keeps what had happened before var grocery_until; everything without it. #}
{% macro before_until(day) -%}
    {{ day ~ " < cast('" ~ var('grocery_until') ~ "' as date)" if var('grocery_until') else 'true' }}
{%- endmacro %}
